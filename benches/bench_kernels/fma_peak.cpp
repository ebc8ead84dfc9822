#include "benches/common/fma_peak.h"

#include "benches/bench_kernels/bench.h"

namespace linnet::kernels::bench::fma_peak_bench {
namespace {

const bool registered = [] {
  for (const linnet::bench::FmaLoop& loop : linnet::bench::fma_loops()) {
    if (!is_supported(loop.isa)) continue;
    benchmark::RegisterBenchmark(path({"fma_peak", to_string(loop.isa)}).c_str(), [=](benchmark::State& state) {
      float value = 1e-9f;
      for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(value);
        benchmark::DoNotOptimize(loop.run(value));
      }
      count_operations(state, loop.operations);
    });
  }
  return true;
}();

}  // namespace
}  // namespace linnet::kernels::bench::fma_peak_bench
