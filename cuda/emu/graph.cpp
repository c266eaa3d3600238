// Graphs: capture of streams, instantiation, update, launch.
#include <algorithm>
#include <cstdio>

#include "driver.h"

namespace emu {

namespace {

std::shared_ptr<Graph> graphOf(Driver& d, Handle h) {
  auto g = d.graphs.get(h);
  if (!g) failWith(kInvalidHandle, "not a graph");
  return g;
}

std::shared_ptr<GraphExec> execOf(Driver& d, Handle h) {
  auto e = d.execs.get(h);
  if (!e) failWith(kInvalidHandle, "not an executable graph");
  return e;
}

struct KernelNodeParams {
  Handle function;
  u32 grid[3], block[3], shared;
  void** params;
  void** extra;
  Handle kernel, context;
};

LaunchShape shapeOf(const KernelNodeParams& p) {
  return LaunchShape{{p.grid[0], p.grid[1], p.grid[2]}, {p.block[0], p.block[1], p.block[2]}, p.shared, false};
}

// addNode appends a node after others of the same graph.
Handle addNode(Driver& d, Handle graph, const Handle* after, size_t n, Work w) {
  auto g = graphOf(d, graph);
  Node node;
  node.handle = d.nextNode += 16;
  node.work = std::move(w);
  for (size_t i = 0; i < n; i++) {
    auto it = std::find_if(g->nodes.begin(), g->nodes.end(), [&](const Node& o) { return o.handle == after[i]; });
    if (it == g->nodes.end()) failWith(kInvalidValue, "a dependency is no node of the graph");
    node.after.push_back(static_cast<u32>(it - g->nodes.begin()));
  }
  g->nodes.push_back(std::move(node));
  return g->nodes.back().handle;
}

int nodeType(const Work& w) {
  switch (w.kind) {
    case Work::kernel: return 0;
    case Work::copy: return 1;
    case Work::fill: return 2;
    case Work::host: return 3;
    default: return 5;
  }
}

struct UpdateInfo {
  int result;
  Handle errorNode, errorFrom;
};

// differs compares the shape of two graphs: 0, or a reason as cuGraphExecUpdate gives it.
int differs(const std::vector<Node>& a, const std::vector<Node>& b, Handle& at) {
  if (a.size() != b.size()) return 2;
  for (size_t i = 0; i < a.size(); i++) {
    at = b[i].handle;
    if (a[i].after != b[i].after) return 2;
    if (nodeType(a[i].work) != nodeType(b[i].work)) return 3;
  }
  return 0;
}

void replace(GraphExec& e, std::vector<Node> nodes) {
  e.nodes = std::make_shared<const std::vector<Node>>(std::move(nodes));
}

}  // namespace

}  // namespace emu

using namespace emu;

EMU_API(cuStreamBeginCapture_v2)(Handle h, int mode) {
  return call("cuStreamBeginCapture_v2", 0, [&](Driver& d) {
    auto s = d.stream(h);
    if (s->legacy) failWith(kCaptureUnsupported, "the default stream cannot be captured");
    if (mode < 0 || mode > 2) failWith(kInvalidValue, "unknown mode");
    if (s->capture) failWith(kIllegalState, "the stream is captured already");
    s->capture = std::make_shared<Capture>();
    s->capture->graph = std::make_shared<Graph>();
    s->capture->graph->context = s->context;
    s->capture->origin = d.resolveStream(h);
    s->capture->mode = mode;
    s->capture->thread = threadNumber();
    s->tail.clear();
  });
}

EMU_API(cuStreamEndCapture)(Handle h, Handle* out) {
  return call("cuStreamEndCapture", 0, [&](Driver& d) {
    auto s = d.stream(h);
    if (out) *out = 0;
    auto c = s->capture;
    if (!c) failWith(kIllegalState, "the stream is not captured");
    if (c->origin != d.resolveStream(h)) failWith(kCaptureUnmatched, "the capture began in another stream");
    if (c->mode != 2 && c->thread != threadNumber())
      failWith(kCaptureWrongThread, "the capture began on another thread");
    // Every node must lead back to the origin.
    std::vector<bool> reached(c->graph->nodes.size());
    std::vector<u32> todo = s->tail;
    while (!todo.empty()) {
      u32 n = todo.back();
      todo.pop_back();
      if (reached[n]) continue;
      reached[n] = true;
      const auto& after = c->graph->nodes[n].after;
      todo.insert(todo.end(), after.begin(), after.end());
    }
    bool unjoined = std::count(reached.begin(), reached.end(), false) > 0;
    for (auto& e : d.streams.all())
      if (e.second->capture == c) e.second->capture = nullptr, e.second->tail.clear();
    if (c->invalid) failWith(kCaptureInvalidated, "the capture was invalidated before");
    if (unjoined) failWith(kCaptureUnjoined, "work of another stream was not joined to the origin of the capture");
    *out = d.graphs.add(c->graph);
  });
}

EMU_API(cuStreamIsCapturing)(Handle h, int* out) {
  return call("cuStreamIsCapturing", 0, [&](Driver& d) {
    auto s = d.stream(h);
    *out = !s->capture ? 0 : s->capture->invalid ? 2 : 1;
  });
}

EMU_API(cuThreadExchangeStreamCaptureMode)(int* mode) {
  return call("cuThreadExchangeStreamCaptureMode", kNoContext, [&](Driver&) {
    if (*mode < 0 || *mode > 2) failWith(kInvalidValue, "unknown mode");
    std::swap(*mode, threadCaptureMode());
  });
}

EMU_API(cuGraphCreate)(Handle* out, unsigned) {
  return call("cuGraphCreate", 0, [&](Driver& d) {
    auto g = std::make_shared<Graph>();
    g->context = current()->id;
    *out = d.graphs.add(g);
  });
}

EMU_API(cuGraphDestroy)(Handle h) {
  return call("cuGraphDestroy", 0, [&](Driver& d) {
    if (!d.graphs.remove(h)) failWith(kInvalidHandle, "not a graph");
  });
}

EMU_API(cuGraphClone)(Handle* out, Handle h) {
  return call("cuGraphClone", 0, [&](Driver& d) { *out = d.graphs.add(std::make_shared<Graph>(*graphOf(d, h))); });
}

EMU_API(cuGraphAddEmptyNode)(Handle* out, Handle graph, const Handle* after, size_t n) {
  return call("cuGraphAddEmptyNode", 0, [&](Driver& d) { *out = addNode(d, graph, after, n, Work{}); });
}

EMU_API(cuGraphAddKernelNode_v2)(Handle* out, Handle graph, const Handle* after, size_t n, const KernelNodeParams* p) {
  return call("cuGraphAddKernelNode_v2", 0, [&](Driver& d) {
    *out = addNode(d, graph, after, n, prepareLaunch(d, p->function, shapeOf(*p), p->params, p->extra));
  });
}

// The first version of the parameters is a prefix of the second.
EMU_API(cuGraphAddKernelNode)(Handle* out, Handle graph, const Handle* after, size_t n, const KernelNodeParams* p) {
  return cuGraphAddKernelNode_v2(out, graph, after, n, p);
}

namespace {

struct MemsetNodeParams {
  u64 dst;
  size_t pitch;
  u32 value, size;
  size_t width, height;
};

struct HostNodeParams {
  HostFn f;
  void* data;
};

}  // namespace

EMU_API(cuGraphAddMemsetNode)(Handle* out, Handle graph, const Handle* after, size_t n, const MemsetNodeParams* p,
                              Handle) {
  return call("cuGraphAddMemsetNode", 0, [&](Driver& d) {
    Work w;
    w.kind = Work::fill;
    w.set = Fill{p->dst, p->pitch, p->width, p->height, p->value, p->size};
    if (p->size != 1 && p->size != 2 && p->size != 4) failWith(kInvalidValue, "elements have 1, 2 or 4 bytes");
    checkRange(d, p->dst, (p->height - 1) * p->pitch + p->width * p->size, "fill");
    *out = addNode(d, graph, after, n, std::move(w));
  });
}

EMU_API(cuGraphAddHostNode)(Handle* out, Handle graph, const Handle* after, size_t n, const HostNodeParams* p) {
  return call("cuGraphAddHostNode", 0, [&](Driver& d) {
    Work w;
    w.kind = Work::host;
    w.callback = p->f;
    w.data = p->data;
    *out = addNode(d, graph, after, n, std::move(w));
  });
}

EMU_API(cuGraphAddDependencies)(Handle graph, const Handle* from, const Handle* to, size_t n) {
  return call("cuGraphAddDependencies", 0, [&](Driver& d) {
    auto g = graphOf(d, graph);
    auto index = [&](Handle h) {
      for (u32 i = 0; i < g->nodes.size(); i++)
        if (g->nodes[i].handle == h) return i;
      failWith(kInvalidValue, "not a node of the graph");
    };
    for (size_t i = 0; i < n; i++) {
      u32 a = index(from[i]), b = index(to[i]);
      if (a >= b) failWith(kInvalidValue, "a dependency on a later node is not supported");
      g->nodes[b].after.push_back(a);
    }
  });
}

EMU_API(cuGraphGetNodes)(Handle graph, Handle* out, size_t* n) {
  return call("cuGraphGetNodes", 0, [&](Driver& d) {
    auto g = graphOf(d, graph);
    size_t room = out ? *n : 0;
    *n = g->nodes.size();
    for (size_t i = 0; i < room && i < g->nodes.size(); i++) out[i] = g->nodes[i].handle;
  });
}

EMU_API(cuGraphGetEdges)(Handle graph, Handle* from, Handle* to, size_t* n) {
  return call("cuGraphGetEdges", 0, [&](Driver& d) {
    auto g = graphOf(d, graph);
    size_t room = from && to ? *n : 0, count = 0;
    for (const Node& b : g->nodes)
      for (u32 a : b.after) {
        if (count < room) from[count] = g->nodes[a].handle, to[count] = b.handle;
        count++;
      }
    *n = count;
  });
}

EMU_API(cuGraphNodeGetType)(Handle node, int* out) {
  return call("cuGraphNodeGetType", 0, [&](Driver& d) {
    for (auto& g : d.graphs.all())
      for (const Node& n : g.second->nodes)
        if (n.handle == node) {
          *out = nodeType(n.work);
          return;
        }
    failWith(kInvalidHandle, "not a node");
  });
}

EMU_API(cuGraphInstantiateWithFlags)(Handle* out, Handle graph, u64 flags) {
  return call("cuGraphInstantiateWithFlags", 0, [&](Driver& d) {
    if (flags & ~15ull) failWith(kInvalidValue, "unknown flags");
    auto g = graphOf(d, graph);
    auto e = std::make_shared<GraphExec>();
    e->context = g->context;
    replace(*e, g->nodes);
    *out = d.execs.add(e);
  });
}

EMU_API(cuGraphInstantiate_v2)(Handle* out, Handle graph, Handle*, char*, size_t) {
  return cuGraphInstantiateWithFlags(out, graph, 0);
}

EMU_API(cuGraphExecDestroy)(Handle h) {
  return call("cuGraphExecDestroy", 0, [&](Driver& d) {
    if (!d.execs.remove(h)) failWith(kInvalidHandle, "not an executable graph");
  });
}

EMU_API(cuGraphUpload)(Handle h, Handle stream) {
  return call("cuGraphUpload", 0, [&](Driver& d) {
    execOf(d, h);
    d.stream(stream);
  });
}

EMU_API(cuGraphLaunch)(Handle h, Handle stream) {
  return call("cuGraphLaunch", 0, [&](Driver& d) {
    auto e = execOf(d, h);
    auto s = d.stream(stream);
    if (s->capture) {
      d.invalidate(*s->capture);
      failWith(kCaptureUnsupported, "a graph inside a capture is not supported");
    }
    Work w;
    w.kind = Work::graph;
    w.nodes = e->nodes;
    d.enqueue(stream, std::move(w));
  });
}

EMU_API(cuGraphExecUpdate_v2)(Handle h, Handle graph, UpdateInfo* info) {
  return call("cuGraphExecUpdate_v2", 0, [&](Driver& d) {
    auto e = execOf(d, h);
    auto g = graphOf(d, graph);
    Handle at = 0;
    int why = differs(*e->nodes, g->nodes, at);
    if (info) *info = UpdateInfo{why, why ? at : 0, 0};
    if (why)
      failWith(kGraphExecUpdateFailure, why == 2 ? "the topology of the graph changed" : "the type of a node changed");
    std::vector<Node> nodes = *e->nodes;  // keeps its own handles: they address the nodes of the first graph
    for (size_t i = 0; i < nodes.size(); i++) nodes[i].work = g->nodes[i].work;
    replace(*e, std::move(nodes));
  });
}

EMU_API(cuGraphExecKernelNodeSetParams_v2)(Handle h, Handle node, const KernelNodeParams* p) {
  return call("cuGraphExecKernelNodeSetParams_v2", 0, [&](Driver& d) {
    auto e = execOf(d, h);
    std::vector<Node> nodes = *e->nodes;
    auto it = std::find_if(nodes.begin(), nodes.end(), [&](const Node& n) { return n.handle == node; });
    if (it == nodes.end() || it->work.kind != Work::kernel) failWith(kInvalidValue, "not a kernel node of the graph");
    it->work = prepareLaunch(d, p->function ? p->function : it->work.function, shapeOf(*p), p->params, p->extra);
    replace(*e, std::move(nodes));
  });
}

EMU_API(cuGraphDebugDotPrint)(Handle graph, const char* path, unsigned) {
  return call("cuGraphDebugDotPrint", 0, [&](Driver& d) {
    auto g = graphOf(d, graph);
    std::FILE* f = std::fopen(path, "w");
    if (!f) failWith(static_cast<Code>(304), std::string("cannot write ") + path);
    const char* names[] = {"kernel", "copy", "fill", "host", "graph", "empty"};
    std::fprintf(f, "digraph {\n");
    for (size_t i = 0; i < g->nodes.size(); i++) {
      const Work& w = g->nodes[i].work;
      std::fprintf(f, "  n%zu [label=\"%s %s\"];\n", i, names[nodeType(w)], w.code ? w.code->name.c_str() : "");
      for (u32 a : g->nodes[i].after) std::fprintf(f, "  n%u -> n%zu;\n", a, i);
    }
    std::fprintf(f, "}\n");
    bool good = std::fclose(f) == 0;
    if (!good) failWith(static_cast<Code>(304), std::string("cannot write ") + path);
  });
}
