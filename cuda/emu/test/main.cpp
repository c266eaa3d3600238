// Runs each test in a child process: faults are sticky, and settings are read once.
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "harness.h"

int failures = 0;

namespace {

void* library = nullptr;
std::string libraryPath, folder;

}  // namespace

void* symbol(const char* name) {
  static std::map<std::string, void*> known;
  void*& p = known[name];
  if (!p) p = dlsym(library, name);
  if (!p) {
    std::fprintf(stderr, "no symbol %s\n", name);
    std::exit(2);
  }
  return p;
}

void report(const char* file, int line, const std::string& text) {
  if (++failures <= 20) std::fprintf(stderr, "%s:%d: %s\n", file, line, text.c_str());
}

std::string lastFault() { return reinterpret_cast<const char* (*)()>(symbol("cuemuLastFault"))(); }

std::string readText(const std::string& name) {
  std::ifstream f(folder + "/" + name);
  if (!f) report(__FILE__, __LINE__, "cannot read " + name);
  std::stringstream s;
  s << f.rdbuf();
  return s.str();
}

void begin() {
  CHECK(cu("cuInit", 0u) == 0);
  u64 context;
  CHECK(cu("cuCtxCreate_v2", &context, 0u, 0) == 0);
}

u64 load(const std::string& ptx) {
  u64 m = 0;
  int r = cu("cuModuleLoadData", &m, ptx.c_str());
  if (r) report(__FILE__, __LINE__, "module does not load: " + lastFault());
  return m;
}

u64 function(u64 module, const char* name) {
  u64 f = 0;
  CHECK(cu("cuModuleGetFunction", &f, module, name) == 0);
  return f;
}

u64 allocate(size_t bytes) {
  u64 p = 0;
  CHECK(cu("cuMemAlloc_v2", &p, bytes) == 0);
  return p;
}

int launch(u64 f, Shape s, Args args) {
  std::vector<void*> pointers;
  for (u64& slot : args.slots) pointers.push_back(&slot);
  return cu("cuLaunchKernel", f, s.grid, s.gridY, 1u, s.block, s.blockY, 1u, s.shared, s.stream, pointers.data(),
            static_cast<void**>(nullptr));
}

int run(u64 f, Shape s, Args args) {
  int r = launch(f, s, args);
  return r ? r : cu("cuCtxSynchronize");
}

std::string kernel(const std::string& body, const std::string& declarations) {
  return ".version 8.0\n.target sm_80\n.address_size 64\n" + declarations +
         "\n.visible .entry k(.param .u64 p0, .param .u64 p1, .param .u64 p2, .param .u64 p3)\n{\n"
         ".reg .pred %p<10>; .reg .b16 %h<20>; .reg .b32 %r<60>; .reg .b64 %d<40>; .reg .f32 %f<40>; .reg .f64 "
         "%e<40>;\n"
         "ld.param.u64 %d0, [p0]; ld.param.u64 %d1, [p1]; ld.param.u64 %d2, [p2]; ld.param.u64 %d3, [p3];\n"
         "mov.u32 %r0, %tid.x; mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x;\n" +
         body + "\nret;\n}\n";
}

namespace {

int child(const Test& t) {
  for (const std::string& e : t.environment) {
    size_t eq = e.find('=');
    setenv(e.substr(0, eq).c_str(), e.substr(eq + 1).c_str(), 1);
  }
  library = dlopen(libraryPath.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  t.run();
  if (failures) std::fprintf(stderr, "%s: %d failures\n", t.name, failures);
  return failures != 0;
}

void show(std::FILE* log) {
  std::rewind(log);
  for (int c; (c = std::fgetc(log)) != EOF;) std::fputc(c, stderr);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: emutest LIBRARY FOLDER [TEST]\n");
    return 2;
  }
  libraryPath = argv[1];
  folder = argv[2];
  unsetenv("CUEMU_FAIL");
  int bad = 0, count = 0;
  for (auto list : {operationTests, conversionTests, parserTests, memoryOperationTests, faultTests, driverTests,
                    peerTests, graphTests, matrixTests, kernelTests})
    for (const Test& t : list()) {
      if (argc > 3 && std::string(t.name).find(argv[3]) == std::string::npos) continue;
      auto start = std::chrono::steady_clock::now();
      std::fflush(nullptr);
      // What the driver reports is shown only of a test that fails, or that is asked for by name.
      std::FILE* log = argc > 3 ? nullptr : std::tmpfile();
      pid_t pid = fork();
      if (pid == 0) {
        if (log) dup2(fileno(log), 2);
        std::_Exit(child(t));
      }
      int status = 0;
      waitpid(pid, &status, 0);
      double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      if (log && !good) show(log);
      if (log) std::fclose(log);
      if (WIFSIGNALED(status)) std::fprintf(stderr, "%s: signal %d\n", t.name, WTERMSIG(status));
      if (!good || seconds > 2 || argc > 3) std::printf("%s %-40s %.2f s\n", good ? "ok  " : "FAIL", t.name, seconds);
      bad += !good;
      count++;
    }
  std::printf("%d tests, %d failed\n", count, bad);
  return bad != 0;
}
