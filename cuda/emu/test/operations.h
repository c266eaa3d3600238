// Operations against references: each runs over the product of edge values of its operand types.
#pragma once

#include <functional>

#include "harness.h"

// Operation is one spelling; types are PTX type names of registers (b16, b32, b64, f32, f64, pred as result).
struct Operation {
  std::string text;  // "add.s32"
  std::string result;
  std::vector<std::string> sources;
  std::function<u64(u64, u64, u64)> reference;
  double ulps = 0;        // tolerance of approximate functions, of the result's type
  std::string tail = {};  // further operands, as text
};

// check runs operations on the driver and compares every value.
void check(const std::vector<Operation>& operations);

// edges are the values that an operand type is tested with.
const std::vector<u64>& edges(const std::string& type);
