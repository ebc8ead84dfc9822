// What the benchmarks of kernel families share. A family's file registers, before main starts, one benchmark for each
// shape and each line of its variants.inc that this CPU can run:
//
//   const bool registered = for_each_variant(foo_variants(), [](const std::string& isa, const FooKernels& kernels) {
//     benchmark::RegisterBenchmark(path({"foo", "56x56x24", isa}).c_str(), [&kernels](benchmark::State& state) { ...
//     });
//   });
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "benches/common/roofline.h"
#include "kernels/dispatch/dispatch.h"
#include "linnet/types.h"

namespace linnet::kernels::bench {

template <class Kernels, class Register>
bool for_each_variant(std::span<const Variant<Kernels>> variants, Register&& register_benchmarks) {
  for (const Variant<Kernels>& variant : variants) {
    if (is_supported(variant.isa)) register_benchmarks(std::string(to_string(variant.isa)), *variant.kernels);
  }
  return true;
}

/// The parts of a benchmark's name, joined by slashes.
inline std::string path(std::initializer_list<std::string_view> parts) {
  std::string joined;
  for (const std::string_view part : parts) {
    if (!joined.empty()) joined += '/';
    joined += part;
  }
  return joined;
}

/// "28x28x72"
inline std::string shape(std::initializer_list<Index> sizes) {
  std::string joined;
  for (const Index size : sizes) {
    if (!joined.empty()) joined += 'x';
    joined += std::to_string(size);
  }
  return joined;
}

/// Floats in [-1, 1), the same in every run.
inline std::vector<float> random_floats(Index size) {
  std::mt19937 generator(1);
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = static_cast<float>(generator() >> 8) * 0x1p-23f - 1.0f;
  return values;
}

/// What one iteration computes; a multiply-add is two operations.
inline void count_operations(benchmark::State& state, double operations) {
  state.counters["GFLOP/s"] = benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

/// What one iteration must read and write.
inline void count_bytes(benchmark::State& state, double bytes) {
  state.counters["GB/s"] = benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

/// What one iteration computes, and reads and writes at least: beside GFLOP/s the share, in percent, of the speed that
/// multiply-adders and memory allow.
inline void count_work(benchmark::State& state, std::string_view isa_name, double operations, double bytes) {
  count_operations(state, operations);
  const std::vector<Isa> isas = supported_isas();
  const Isa isa = *std::find_if(isas.begin(), isas.end(), [&](Isa one) { return to_string(one) == isa_name; });
  const double seconds = linnet::bench::roofline_seconds(isa, operations, bytes);
  state.counters["roof%"] = benchmark::Counter(100 * seconds, benchmark::Counter::kIsIterationInvariantRate);
}

inline double float_bytes(std::initializer_list<Index> sizes) {
  double sum = 0;
  for (const Index size : sizes) sum += static_cast<double>(size) * sizeof(float);
  return sum;
}

}  // namespace linnet::kernels::bench
