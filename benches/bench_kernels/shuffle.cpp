#include "kernels/shuffle/shuffle.h"

#include "benches/bench_kernels/bench.h"

namespace linnet::kernels::bench::shuffle_bench {
namespace {

void register_shuffle(const std::string& isa, const ShuffleKernels& kernels, Index rows, Index channels, Index groups) {
  const std::string name = path({"channel_shuffle", shape({rows, channels}), "groups_" + std::to_string(groups), isa});
  benchmark::RegisterBenchmark(name.c_str(), [=, &kernels](benchmark::State& state) {
    const std::vector<float> x = random_floats(rows * channels);
    std::vector<float> y(x.size());
    for ([[maybe_unused]] auto _ : state) kernels.channel_shuffle(rows, channels, groups, x.data(), y.data());
    count_bytes(state, 2.0 * static_cast<double>(rows * channels) * sizeof(float));
  });
}

void register_copy(const std::string& isa, const ShuffleKernels& kernels, Index rows, Index channels) {
  const std::string name = path({"copy_channels", shape({rows, channels}), isa});
  benchmark::RegisterBenchmark(name.c_str(), [=, &kernels](benchmark::State& state) {
    const std::vector<float> x = random_floats(rows * channels * 2);
    std::vector<float> y(x.size());
    for ([[maybe_unused]] auto _ : state)
      kernels.copy_channels(rows, channels, x.data(), 2 * channels, y.data(), 2 * channels);
    count_bytes(state, 2.0 * static_cast<double>(rows * channels) * sizeof(float));
  });
}

const bool registered = for_each_variant(shuffle_variants(), [](const std::string& isa, const ShuffleKernels& kernels) {
  register_shuffle(isa, kernels, 784, 116, 2);
  register_shuffle(isa, kernels, 784, 116, 58);
  register_shuffle(isa, kernels, 784, 60, 3);
  register_shuffle(isa, kernels, 784, 60, 20);
  register_shuffle(isa, kernels, 196, 192, 8);
  register_copy(isa, kernels, 784, 58);
  register_copy(isa, kernels, 3136, 16);
});

}  // namespace
}  // namespace linnet::kernels::bench::shuffle_bench
