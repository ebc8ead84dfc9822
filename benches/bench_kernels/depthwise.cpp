#include "kernels/depthwise/depthwise.h"

#include "benches/bench_kernels/bench.h"

namespace linnet::kernels::bench::depthwise_bench {
namespace {

struct Layer {
  Index size, channels, kernel, stride;
};

/// The depthwise layers of MobileNetV1 to V4 and EfficientNet at 224 px, and of MobileNetV2 at 32 px.
constexpr Layer layers[] = {
    {112, 32, 3, 1}, {112, 64, 3, 2}, {112, 96, 3, 2}, {56, 128, 3, 1}, {56, 144, 3, 1}, {56, 144, 3, 2},
    {28, 192, 3, 1}, {28, 256, 3, 1}, {14, 384, 3, 1}, {14, 512, 3, 1}, {14, 576, 3, 1}, {14, 576, 3, 2},
    {7, 960, 3, 1},  {7, 1024, 3, 1}, {56, 72, 5, 2},  {28, 120, 5, 1}, {14, 672, 5, 1}, {14, 672, 5, 2},
    {7, 960, 5, 1},  {14, 240, 7, 1}, {32, 96, 3, 1},  {16, 144, 3, 1}, {8, 384, 3, 1},
};

Window window_of(const Layer& layer) {
  Window window;
  window.in_height = window.in_width = layer.size;
  window.out_height = window.out_width = (layer.size + layer.stride - 1) / layer.stride;
  window.kernel_height = window.kernel_width = layer.kernel;
  window.stride = layer.stride;
  window.pad_top = window.pad_left = layer.kernel / 2;
  return window;
}

void register_layer(const std::string& isa, const DepthwiseKernels& kernels, const Layer& layer) {
  const std::string name = shape({layer.size, layer.size, layer.channels}) + "/kernel_" + std::to_string(layer.kernel) +
                           "/stride_" + std::to_string(layer.stride);
  const Window window = window_of(layer);
  const Index channels = layer.channels, in_size = window.in_pixels() * channels,
              out_size = window.out_pixels() * channels, weights_size = window.kernel_area() * channels;
  const double operations = 2.0 * static_cast<double>(out_size * window.kernel_area());
  benchmark::RegisterBenchmark(path({"depthwise", name, isa}).c_str(), [=, &kernels](benchmark::State& state) {
    const std::vector<float> x = random_floats(in_size), w = random_floats(weights_size), b = random_floats(channels);
    std::vector<float> y(static_cast<std::size_t>(out_size));
    const DepthwiseArgs args{window, channels, x.data(), w.data(), y.data(), {b.data(), nullptr, 0, Activation::relu6}};
    for ([[maybe_unused]] auto _ : state) kernels.forward(args, {0, window.out_height});
    count_work(state, isa, operations, float_bytes({in_size, weights_size, out_size}));
  });
  benchmark::RegisterBenchmark(path({"depthwise_input_gradient", name, isa}).c_str(), [=, &kernels](auto& state) {
    const std::vector<float> g = random_floats(out_size), w = random_floats(weights_size);
    std::vector<float> dx(static_cast<std::size_t>(in_size));
    const DepthwiseInputGradientArgs args{window, channels, g.data(), w.data(), dx.data()};
    for ([[maybe_unused]] auto _ : state) kernels.input_gradient(args, {0, window.in_height});
    count_operations(state, operations);
  });
  benchmark::RegisterBenchmark(path({"depthwise_weight_gradient", name, isa}).c_str(), [=, &kernels](auto& state) {
    const std::vector<float> x = random_floats(in_size), g = random_floats(out_size);
    std::vector<float> dw(static_cast<std::size_t>(weights_size));
    const DepthwiseWeightGradientArgs args{window, channels, x.data(), g.data(), nullptr};
    for ([[maybe_unused]] auto _ : state) kernels.weight_gradient(args, {0, window.out_height}, dw.data());
    count_operations(state, operations);
  });
}

const bool registered =
    for_each_variant(depthwise_variants(), [](const std::string& isa, const DepthwiseKernels& kernels) {
      for (const Layer& layer : layers) register_layer(isa, kernels, layer);
    });

}  // namespace
}  // namespace linnet::kernels::bench::depthwise_bench
