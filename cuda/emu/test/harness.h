// What all tests of the emulator share: the driver's entry points, checks, and kernels from PTX text.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;

// Driver entry points, looked up by name at their first call.
void* symbol(const char* name);

template <class... A>
int cu(const char* name, A... a) {
  return reinterpret_cast<int (*)(A...)>(symbol(name))(a...);
}

extern int failures;
void report(const char* file, int line, const std::string& text);

#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) report(__FILE__, __LINE__, #condition); \
  } while (0)
#define EQUAL(got, want)                                                                                 \
  do {                                                                                                   \
    auto got_ = (got);                                                                                   \
    decltype(got_) want_ = (want);                                                                       \
    if (!(got_ == want_))                                                                                \
      report(__FILE__, __LINE__, #got " is " + std::to_string(got_) + ", not " + std::to_string(want_)); \
  } while (0)

std::string lastFault();
std::string readText(const std::string& name);  // of the folder of the tests

template <class T, class F>
T as(const F& x) {
  static_assert(sizeof(T) == sizeof(F));
  T y;
  std::memcpy(&y, &x, sizeof y);
  return y;
}

// begin initialises the driver and makes a context.
void begin();

u64 load(const std::string& ptx);  // a module; checks that it loads
u64 function(u64 module, const char* name);
u64 allocate(size_t bytes);
template <class T>
u64 device(const std::vector<T>& x) {
  u64 p = allocate(x.size() * sizeof(T));
  CHECK(cu("cuMemcpyHtoD_v2", p, static_cast<const void*>(x.data()), x.size() * sizeof(T)) == 0);
  return p;
}
template <class T>
std::vector<T> host(u64 p, size_t n) {
  std::vector<T> x(n);
  CHECK(cu("cuMemcpyDtoH_v2", static_cast<void*>(x.data()), p, n * sizeof(T)) == 0);
  return x;
}

// Arguments of a launch, 8 bytes each.
struct Args {
  std::vector<u64> slots;
  template <class... T>
  explicit Args(T... x) {
    (add(x), ...);
  }
  template <class T>
  void add(T x) {
    u64 slot = 0;
    std::memcpy(&slot, &x, sizeof x);
    slots.push_back(slot);
  }
};

struct Shape {
  u32 grid = 1, block = 32, shared = 0;
  u64 stream = 0;
  u32 gridY = 1, blockY = 1;
};

int launch(u64 f, Shape s, Args args);
int run(u64 f, Shape s, Args args);  // and waits

// wrap makes a module of one kernel named k with parameters p0..p3 of 64 bits and plenty of registers.
std::string kernel(const std::string& body, const std::string& declarations = "");

// A deterministic generator for test data.
struct Random {
  u64 state;
  u64 next() {
    state += 0x9e3779b97f4a7c15ull;
    u64 z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  float uniform() { return static_cast<float>(next() >> 40) / 16777216.0f; }
  float signedUniform() { return 2 * uniform() - 1; }
};

// A test runs in a process of its own, with extra environment "NAME=value".
struct Test {
  const char* name;
  void (*run)();
  std::vector<std::string> environment;
};

std::vector<Test> operationTests();
std::vector<Test> conversionTests();
std::vector<Test> parserTests();
std::vector<Test> memoryOperationTests();
std::vector<Test> faultTests();
std::vector<Test> driverTests();
std::vector<Test> peerTests();
std::vector<Test> graphTests();
std::vector<Test> matrixTests();
std::vector<Test> kernelTests();
