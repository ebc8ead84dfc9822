#include "kernels/pool/pool.h"

#include "benches/bench_kernels/bench.h"

namespace linnet::kernels::bench::pool_bench {
namespace {

struct Layer {
  Index size, channels, kernel, stride;
};

/// SqueezeNet's and ShuffleNet's maximum pools, NASNet's stride 1 and 2.
constexpr Layer layers[] = {{111, 96, 3, 2}, {112, 24, 3, 2}, {28, 88, 3, 1}, {14, 352, 3, 1}};

void register_layer(const std::string& isa, const PoolKernels& kernels, const Layer& layer) {
  const std::string name = shape({layer.size, layer.size, layer.channels}) + "/kernel_" + std::to_string(layer.kernel) +
                           "/stride_" + std::to_string(layer.stride);
  Window window;
  window.in_height = window.in_width = layer.size;
  window.out_height = window.out_width = (layer.size + layer.stride - 1) / layer.stride;
  window.kernel_height = window.kernel_width = layer.kernel;
  window.stride = layer.stride;
  window.pad_top = window.pad_left = layer.kernel / 2;
  const Index channels = layer.channels, in_size = window.in_pixels() * channels,
              out_size = window.out_pixels() * channels;
  const double bytes = static_cast<double>(in_size + out_size) * sizeof(float);
  const auto add = [&](std::string_view kind, auto run) {
    benchmark::RegisterBenchmark(path({kind, name, isa}).c_str(), [=](benchmark::State& state) {
      std::vector<float> x = random_floats(in_size), y = random_floats(out_size);
      std::vector<std::int32_t> positions(y.size());
      for ([[maybe_unused]] auto _ : state) run(x.data(), y.data(), positions.data());
      count_bytes(state, bytes);
    });
  };
  add("max_pool", [&kernels, window, channels](const float* x, float* y, std::int32_t*) {
    kernels.max({window, channels, x, y, nullptr}, {0, window.out_height});
  });
  add("max_pool_with_positions", [&kernels, window, channels](const float* x, float* y, std::int32_t* positions) {
    kernels.max({window, channels, x, y, positions}, {0, window.out_height});
  });
  add("max_pool_gradient", [&kernels, window, channels](float* x, const float* y, const std::int32_t* positions) {
    kernels.max_gradient({window, channels, y, positions, x}, {0, window.in_height});
  });
  add("average_pool", [&kernels, window, channels](const float* x, float* y, std::int32_t*) {
    kernels.average({window, channels, x, y, false}, {0, window.out_height});
  });
  add("average_pool_gradient", [&kernels, window, channels](float* x, const float* y, const std::int32_t*) {
    kernels.average_gradient({window, channels, y, x, false}, {0, window.in_height});
  });
}

void register_global(const std::string& isa, const PoolKernels& kernels, Index pixels, Index channels) {
  benchmark::RegisterBenchmark(path({"global_average_pool", shape({pixels, channels}), isa}).c_str(),
                               [=, &kernels](benchmark::State& state) {
                                 const std::vector<float> x = random_floats(pixels * channels);
                                 std::vector<float> y(static_cast<std::size_t>(channels));
                                 for ([[maybe_unused]] auto _ : state) {
                                   kernels.global_average(pixels, channels, {0, channels}, x.data(), y.data());
                                 }
                                 count_bytes(state, static_cast<double>(x.size() * sizeof(float)));
                               });
}

const bool registered = for_each_variant(pool_variants(), [](const std::string& isa, const PoolKernels& kernels) {
  for (const Layer& layer : layers) register_layer(isa, kernels, layer);
  register_global(isa, kernels, 49, 960);
  register_global(isa, kernels, 784, 120);
});

}  // namespace
}  // namespace linnet::kernels::bench::pool_bench
