// Modules, functions and kernel launches.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "driver.h"

namespace emu {

namespace {

constexpr u32 kOptInShared = 99 << 10;

// place allocates the variables of a module; the initial values come in with a second pass over symbol addresses.
void place(Driver& d, const Ptx& ptx, Module& m) {
  for (const Variable& v : ptx.variables) {
    if (v.space == "shared") continue;
    if (v.external) throw PtxError(v.line, "external variable '" + v.name + "' has no definition");
    if (v.bytes() == 0) throw PtxError(v.line, "variable '" + v.name + "' has no size");
    Buffer* b = d.memory->allocate(v.bytes(), Buffer::variable, current()->id, current()->device);
    if (!b) failWith(kOutOfMemory, "no memory for variable " + v.name);
    b->name = v.name;
    b->readOnly = v.space == "const";
    std::memset(b->host, 0, v.bytes());  // without a value, module variables are zero
    std::memcpy(b->host, v.init.data(), v.init.size());
    d.memory->wrote(b, b->at, v.bytes());
    m.variables[v.name] = b;
  }
  for (const Variable& v : ptx.variables)
    for (auto& a : v.addresses) {
      auto it = m.variables.find(a.second.first);
      if (it == m.variables.end()) throw PtxError(v.line, "unknown symbol '" + a.second.first + "' in a value");
      u64 address = it->second->at + static_cast<u64>(a.second.second);
      std::memcpy(m.variables[v.name]->host + a.first, &address, 8);
    }
}

void release(Driver& d, Module& m) {
  for (auto& v : m.variables) checkedFree(d, v.second);
}

Handle load(Driver& d, const std::string& text) {
  auto m = std::make_shared<Module>();
  m->context = current()->id;
  try {
    if (text.find(".version") == std::string::npos) throw PtxError(1, "not PTX text: .version is missing");
    Ptx ptx = parse(text);
    if (ptx.major > 8 || (ptx.major == 8 && ptx.minor > 8))
      failWith(kUnsupportedPtxVersion, format("PTX %d.%d is newer than 8.8", ptx.major, ptx.minor));
    if (ptx.target > d.settings.major * 10 + d.settings.minor)
      failWith(kNoBinaryForGpu,
               format("PTX for sm_%d, the device is sm_%d%d", ptx.target, d.settings.major, d.settings.minor));
    place(d, ptx, *m);
    SymbolAddress addressOf = [&](const std::string& name, u64& at) {
      auto it = m->variables.find(name);
      if (it == m->variables.end()) return false;
      at = it->second->at;
      return true;
    };
    for (const auto& f : ptx.functions)
      if (f.entry && f.defined) m->kernels[f.name] = compile(ptx, f, addressOf);
  } catch (const PtxError& e) {
    release(d, *m);
    failWith(kInvalidPtx, format("PTX line %d: %s", e.line, e.what()));
  } catch (const Failure&) {
    release(d, *m);
    throw;
  }
  return d.modules.add(m);
}

void loadInto(Driver& d, Handle* out, const void* image) {
  if (!out || !image) failWith(kInvalidValue, "no image");
  d.refuseInCapture("loading a module");
  *out = load(d, static_cast<const char*>(image));
}

std::shared_ptr<KernelFunction> functionOf(Driver& d, Handle h) {
  auto f = d.functions.get(h);
  if (!f) failWith(kInvalidHandle, "not a function");
  if (f->context != current()->id) failWith(kInvalidContext, "the function belongs to another context");
  return f;
}

void checkShape(const KernelFunction& f, const LaunchShape& s) {
  const char* axes = "xyz";
  const u32 gridMax[3] = {2147483647u, 65535, 65535}, blockMax[3] = {1024, 1024, 64};
  for (int i = 0; i < 3; i++) {
    if (s.grid[i] == 0 || s.grid[i] > gridMax[i])
      failWith(kInvalidValue, format("%s: grid of %u in %c", f.kernel->name.c_str(), s.grid[i], axes[i]));
    if (s.block[i] == 0 || s.block[i] > blockMax[i])
      failWith(kInvalidValue, format("%s: block of %u in %c", f.kernel->name.c_str(), s.block[i], axes[i]));
  }
  u64 threads = static_cast<u64>(s.block[0]) * s.block[1] * s.block[2];
  const Kernel& k = *f.kernel;
  if (threads > k.maxThreads)
    failWith(kInvalidValue, format("%s: %llu threads a block, at most %u", k.name.c_str(),
                                   static_cast<unsigned long long>(threads), k.maxThreads));
  if (k.required && !std::equal(s.block, s.block + 3, k.reqThreads))
    failWith(kInvalidValue, format("%s: the block must be %u x %u x %u", k.name.c_str(), k.reqThreads[0],
                                   k.reqThreads[1], k.reqThreads[2]));
  u64 total = s.dynamicShared ? k.dynamicAt + s.dynamicShared : k.sharedBytes;
  if (s.dynamicShared > f.dynamicLimit || total > std::max<u64>(f.dynamicLimit, 48 << 10))
    failWith(kInvalidValue, format("%s: %llu bytes of shared memory, at most %u (see attribute 8)", k.name.c_str(),
                                   static_cast<unsigned long long>(total), f.dynamicLimit));
  u64 blocks = static_cast<u64>(s.grid[0]) * s.grid[1] * s.grid[2];
  if (blocks > 1ull << 28)
    failWith(kInvalidValue, format("%s: %llu blocks are more than the emulator takes", k.name.c_str(),
                                   static_cast<unsigned long long>(blocks)));
  if (s.cooperative && blocks > 64)
    failWith(kCooperativeLaunchTooLarge, format("%s: %llu blocks cannot be resident together", k.name.c_str(),
                                                static_cast<unsigned long long>(blocks)));
}

// extraParams reads the packed form of arguments.
void extraParams(const Kernel& k, void** extra, std::vector<u8>& to) {
  const u8* buffer = nullptr;
  size_t size = 0;
  for (; *extra; extra += 2) {
    auto tag = reinterpret_cast<u64>(extra[0]);
    if (tag == 1)
      buffer = static_cast<const u8*>(extra[1]);
    else if (tag == 2)
      size = *static_cast<size_t*>(extra[1]);
    else
      failWith(kInvalidValue, "unknown entry of extra");
  }
  if (!buffer || size < k.paramBytes)
    failWith(kInvalidValue,
             format("%s: %zu bytes of arguments, needs %zu", k.name.c_str(), size, static_cast<size_t>(k.paramBytes)));
  std::copy(buffer, buffer + k.paramBytes, to.begin());
}

}  // namespace

Work prepareLaunch(Driver& d, Handle function, const LaunchShape& shape, void** params, void** extra) {
  auto f = functionOf(d, function);
  checkShape(*f, shape);
  const Kernel& k = *f->kernel;
  Work w;
  w.kind = Work::kernel;
  w.function = function;
  w.code = f->kernel;
  w.shape = shape;
  w.params.assign(k.paramBytes, 0xff);
  if (extra && !params) {
    extraParams(k, extra, w.params);
    return w;
  }
  if (!params && !k.params.empty()) failWith(kInvalidValue, k.name + ": no arguments");
  for (size_t i = 0; i < k.params.size(); i++) {
    if (!params[i]) failWith(kInvalidValue, format("%s: argument %zu is null", k.name.c_str(), i));
    std::memcpy(w.params.data() + k.params[i].offset, params[i], k.params[i].size);
  }
  return w;
}

}  // namespace emu

using namespace emu;

EMU_API(cuModuleLoadData)(Handle* out, const void* image) {
  return call("cuModuleLoadData", 0, [&](Driver& d) { loadInto(d, out, image); });
}

EMU_API(cuModuleLoadDataEx)(Handle* out, const void* image, unsigned n, int* options, void** values) {
  return call("cuModuleLoadDataEx", 0, [&](Driver& d) {
    try {
      loadInto(d, out, image);
    } catch (const Failure& f) {
      for (unsigned i = 0; i < n; i++) {  // option 5 is the buffer of the error log, 6 its size
        if (options[i] != 5) continue;
        for (unsigned j = 0; j < n; j++)
          if (options[j] == 6)
            std::snprintf(static_cast<char*>(values[i]), static_cast<size_t>(reinterpret_cast<u64>(values[j])), "%s",
                          f.text.c_str());
      }
      throw;
    }
  });
}

EMU_API(cuModuleLoad)(Handle* out, const char* path) {
  return call("cuModuleLoad", 0, [&](Driver& d) {
    std::ifstream file(path ? path : "");
    if (!file) failWith(static_cast<Code>(301), std::string("cannot read ") + (path ? path : "(null)"));
    std::stringstream text;
    text << file.rdbuf();
    d.refuseInCapture("loading a module");
    *out = load(d, text.str());
  });
}

EMU_API(cuModuleUnload)(Handle h) {
  return call("cuModuleUnload", 0, [&](Driver& d) {
    auto m = d.modules.get(h);
    if (!m) failWith(kInvalidHandle, "not a module");
    d.refuseInCapture("unloading a module");
    d.finishAll(current()->id);
    release(d, *m);
    auto& all = d.functions.all();
    for (auto it = all.begin(); it != all.end();) it = it->second->module == h ? all.erase(it) : std::next(it);
    d.modules.remove(h);
  });
}

EMU_API(cuModuleGetFunction)(Handle* out, Handle h, const char* name) {
  return call("cuModuleGetFunction", 0, [&](Driver& d) {
    auto m = d.modules.get(h);
    if (!m) failWith(kInvalidHandle, "not a module");
    if (!name) failWith(kInvalidValue, "no name");
    auto it = m->kernels.find(name);
    if (it == m->kernels.end()) failWith(kNotFound, std::string("no kernel '") + name + "'");
    for (auto& f : d.functions.all())
      if (f.second->module == h && f.second->kernel == it->second) {
        *out = f.first;
        return;
      }
    auto f = std::make_shared<KernelFunction>();
    f->context = m->context;
    f->module = h;
    f->kernel = it->second;
    *out = d.functions.add(f);
  });
}

EMU_API(cuModuleGetGlobal_v2)(u64* at, size_t* bytes, Handle h, const char* name) {
  return call("cuModuleGetGlobal_v2", 0, [&](Driver& d) {
    auto m = d.modules.get(h);
    if (!m) failWith(kInvalidHandle, "not a module");
    auto it = m->variables.find(name ? name : "");
    if (it == m->variables.end()) failWith(kNotFound, std::string("no variable '") + (name ? name : "") + "'");
    if (at) *at = it->second->at;
    if (bytes) *bytes = it->second->size;
  });
}

EMU_API(cuFuncGetAttribute)(int* out, int which, Handle h) {
  return call("cuFuncGetAttribute", 0, [&](Driver& d) {
    auto f = functionOf(d, h);
    const Kernel& k = *f->kernel;
    switch (which) {
      case 0: *out = static_cast<int>(k.maxThreads); return;
      case 1: *out = static_cast<int>(k.sharedBytes); return;
      case 2: *out = 0; return;
      case 3: *out = static_cast<int>(k.localBytes); return;
      case 4: *out = 32; return;
      case 5: *out = 80; return;
      case 6: *out = d.settings.major * 10 + d.settings.minor; return;
      case 7: *out = 0; return;
      case 8: *out = static_cast<int>(f->dynamicLimit); return;
      case 9: *out = -1; return;
      default: failWith(kInvalidValue, format("unknown function attribute %d", which));
    }
  });
}

EMU_API(cuFuncSetAttribute)(Handle h, int which, int value) {
  return call("cuFuncSetAttribute", 0, [&](Driver& d) {
    auto f = functionOf(d, h);
    if (which == 9) return;
    if (which != 8) failWith(kInvalidValue, format("function attribute %d cannot be set", which));
    if (value < 0 || f->kernel->sharedBytes + static_cast<u64>(value) > kOptInShared)
      failWith(kInvalidValue, format("%d bytes of dynamic shared memory beside %llu static, at most %u", value,
                                     static_cast<unsigned long long>(f->kernel->sharedBytes), kOptInShared));
    f->dynamicLimit = static_cast<u32>(value);
  });
}

EMU_API(cuFuncSetCacheConfig)(Handle h, int) {
  return call("cuFuncSetCacheConfig", 0, [&](Driver& d) { functionOf(d, h); });
}
EMU_API(cuFuncSetSharedMemConfig)(Handle h, int) {
  return call("cuFuncSetSharedMemConfig", 0, [&](Driver& d) { functionOf(d, h); });
}

namespace {

int launch(const char* name, Handle f, const LaunchShape& shape, Handle stream, void** params, void** extra) {
  return call(name, 0, [&](Driver& d) {
    d.stream(stream);
    d.launches++;
    d.enqueue(stream, prepareLaunch(d, f, shape, params, extra));
  });
}

struct LaunchAttribute {
  int id;
  char pad[4];
  union {
    int cooperative;
    char bytes[64];
  } value;
};

struct LaunchConfig {
  u32 grid[3], block[3], shared;
  Handle stream;
  LaunchAttribute* attributes;
  u32 count;
};

}  // namespace

EMU_API(cuLaunchKernel)(Handle f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                        unsigned shared, Handle stream, void** params, void** extra) {
  return launch("cuLaunchKernel", f, LaunchShape{{gx, gy, gz}, {bx, by, bz}, shared, false}, stream, params, extra);
}

EMU_API(cuLaunchCooperativeKernel)(Handle f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                                   unsigned bz, unsigned shared, Handle stream, void** params) {
  return launch("cuLaunchCooperativeKernel", f, LaunchShape{{gx, gy, gz}, {bx, by, bz}, shared, true}, stream, params,
                nullptr);
}

EMU_API(cuLaunchKernelEx)(const LaunchConfig* c, Handle f, void** params, void** extra) {
  LaunchShape s{{c->grid[0], c->grid[1], c->grid[2]}, {c->block[0], c->block[1], c->block[2]}, c->shared, false};
  for (u32 i = 0; i < c->count; i++) {
    const LaunchAttribute& a = c->attributes[i];
    if (a.id == 0 || a.id == 8) continue;  // ignored ones, priority
    if (a.id != 2)
      return call("cuLaunchKernelEx", 0,
                  [&](Driver&) { failWith(kNotSupported, format("launch attribute %d", a.id)); });
    s.cooperative = a.value.cooperative != 0;
  }
  return launch("cuLaunchKernelEx", f, s, c->stream, params, extra);
}

EMU_API(cuOccupancyMaxActiveBlocksPerMultiprocessor)(int* out, Handle h, int block, size_t shared) {
  return call("cuOccupancyMaxActiveBlocksPerMultiprocessor", 0, [&](Driver& d) {
    auto f = functionOf(d, h);
    if (block < 1 || block > 1024) failWith(kInvalidValue, "block size");
    u64 bytes = f->kernel->sharedBytes + shared + 1024;
    *out =
        static_cast<int>(std::min<u64>({16, 2048u / static_cast<u32>((block + 31) / 32 * 32), (100u << 10) / bytes}));
  });
}

EMU_API(cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags)(int* out, Handle h, int block, size_t shared, unsigned) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessor(out, h, block, shared);
}

EMU_API(cuOccupancyMaxPotentialBlockSize)(int* grid, int* block, Handle h, size_t (*shared)(int), size_t, int limit) {
  return call("cuOccupancyMaxPotentialBlockSize", 0, [&](Driver& d) {
    auto f = functionOf(d, h);
    (void)shared;
    int n = static_cast<int>(std::min<u32>(f->kernel->maxThreads, 1024));
    *block = limit > 0 ? std::min(limit, n) : n;
    *grid = 8;
  });
}
