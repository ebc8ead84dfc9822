#include "kernels/elementwise/elementwise.h"
#include "benches/bench_kernels/bench.h"

namespace linnet::kernels::bench::elementwise_bench {
namespace {

constexpr Activation activations[] = {Activation::relu,         Activation::relu6, Activation::hard_swish,
                                      Activation::hard_sigmoid, Activation::silu,  Activation::sigmoid,
                                      Activation::gelu};

void register_array(const std::string& isa, const ElementwiseKernels& kernels, Index size) {
  const std::string length = std::to_string(size);
  const double floats = static_cast<double>(size) * sizeof(float);
  for (const Activation activation : activations) {
    const std::string_view name = to_string(activation);
    benchmark::RegisterBenchmark(path({"activate", name, length, isa}).c_str(), [=, &kernels](benchmark::State& state) {
      const std::vector<float> x = random_floats(size);
      std::vector<float> y(x.size());
      for ([[maybe_unused]] auto _ : state) kernels.activate(activation, size, x.data(), y.data());
      count_bytes(state, 2 * floats);
    });
    benchmark::RegisterBenchmark(path({"activate_gradient", name, length, isa}).c_str(), [=, &kernels](auto& state) {
      const std::vector<float> x = random_floats(size), g = random_floats(size);
      std::vector<float> y(x.size());
      for ([[maybe_unused]] auto _ : state) kernels.activate_gradient(activation, size, x.data(), g.data(), y.data());
      count_bytes(state, 3 * floats);
    });
  }
  benchmark::RegisterBenchmark(path({"add", length, isa}).c_str(), [=, &kernels](benchmark::State& state) {
    const std::vector<float> a = random_floats(size), b = random_floats(size);
    std::vector<float> y(a.size());
    for ([[maybe_unused]] auto _ : state) kernels.add(Activation::none, size, a.data(), b.data(), y.data());
    count_bytes(state, 3 * floats);
  });
}

void register_channels(const std::string& isa, const ElementwiseKernels& kernels, Index pixels, Index channels) {
  const std::string size = shape({pixels, channels});
  const double floats = static_cast<double>(pixels * channels) * sizeof(float);
  benchmark::RegisterBenchmark(path({"scale_channels", size, isa}).c_str(), [=, &kernels](benchmark::State& state) {
    const std::vector<float> x = random_floats(pixels * channels), scale = random_floats(channels);
    std::vector<float> y(x.size());
    for ([[maybe_unused]] auto _ : state) kernels.scale_channels(pixels, channels, x.data(), scale.data(), y.data());
    count_bytes(state, 2 * floats);
  });
  benchmark::RegisterBenchmark(
      path({"scale_channels_gradient", size, isa}).c_str(), [=, &kernels](benchmark::State& state) {
        const std::vector<float> x = random_floats(pixels * channels), scale = random_floats(channels);
        std::vector<float> g = x, y(x.size()), sums(scale.size());
        for ([[maybe_unused]] auto _ : state) {
          kernels.scale_channels_gradient(pixels, channels, x.data(), scale.data(), g.data(), y.data(), sums.data());
        }
        count_bytes(state, 3 * floats);
      });
}

const bool registered =
    for_each_variant(elementwise_variants(), [](const std::string& isa, const ElementwiseKernels& kernels) {
      for (const Index size : {4096, 1 << 20}) register_array(isa, kernels, size);
      register_channels(isa, kernels, 784, 72);
      register_channels(isa, kernels, 49, 960);
    });

}  // namespace
}  // namespace linnet::kernels::bench::elementwise_bench
