#include "linnet/thread_pool.h"

#include "benches/bench_kernels/bench.h"

namespace linnet::kernels::bench::thread_pool_bench {
namespace {

/// What a region costs beyond its work: chunks that do nothing, one after the other.
void empty_region(benchmark::State& state, int threads, Index chunks) {
  ThreadPool pool(threads);
  for ([[maybe_unused]] auto _ : state) pool.run(chunks, [](Index chunk, int) { benchmark::DoNotOptimize(chunk); });
}

const bool registered = [] {
  for (int threads = 1; threads <= cpu_info().logical_cores; threads *= 2) {
    for (const Index chunks : {1, 4, 64}) {
      const std::string name =
          path({"thread_pool", std::to_string(threads) + "_threads", std::to_string(chunks) + "_chunks"});
      benchmark::RegisterBenchmark(name.c_str(), [=](auto& state) {
        empty_region(state, threads, chunks);
      })->UseRealTime();
    }
  }
  return true;
}();

}  // namespace
}  // namespace linnet::kernels::bench::thread_pool_bench
