// Dense convolution by its drivers, with the instruction set in use; and the gathering of patches by every variant.
#include "kernels/conv/conv.h"

#include "benches/bench_kernels/bench.h"
#include "kernels/conv/patches.h"
#include "kernels/pointwise/scratch.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels::bench::conv_bench {
namespace {

struct Layer {
  Index size, in, out, kernel, stride;

  Window window() const {
    Window window;
    window.in_height = window.in_width = size;
    window.kernel_height = window.kernel_width = kernel;
    window.stride = stride;
    window.pad_top = window.pad_left = kernel / 2;
    window.out_height = window.out_width = (size + 2 * (kernel / 2) - kernel) / stride + 1;
    return window;
  }
  double operations() const {
    return 2.0 * static_cast<double>(window().out_pixels()) * static_cast<double>(kernel * kernel * in * out);
  }
  std::string name() const {
    return shape({size, size, in, out}) + "/k" + std::to_string(kernel) + "s" + std::to_string(stride);
  }
};

/// Stems of the MobileNets and of SqueezeNet; dense layers of MobileNetV4 and SqueezeNet.
constexpr Layer layers[] = {{224, 3, 32, 3, 2},  {224, 3, 16, 3, 2}, {224, 3, 96, 7, 2}, {28, 1, 32, 3, 1},
                            {112, 32, 32, 3, 2}, {56, 32, 96, 3, 2}, {54, 16, 64, 3, 1}, {26, 32, 128, 3, 1},
                            {13, 48, 192, 3, 1}, {28, 64, 128, 1, 2}};

void forward(benchmark::State& state, const Layer& layer) {
  ThreadPool pool(1);
  const Window window = layer.window();
  const std::vector<float> input = random_floats(window.in_pixels() * layer.in);
  const std::vector<float> weights = random_floats(layer.in * layer.out * window.kernel_area());
  std::vector<float> output(static_cast<std::size_t>(window.out_pixels() * layer.out));
  const Scratch packed(conv_packed_size(layer.in, layer.out, window.kernel_area()));
  const Scratch workspace(conv_workspace_size(window, layer.in, layer.out, 1));
  conv_pack(weights.data(), layer.in, layer.out, window.kernel_area(), packed.data());
  const ConvArgs args{window,        layer.in,      layer.out, input.data(), layer.in,
                      packed.data(), output.data(), layer.out, {},           workspace.data()};
  for ([[maybe_unused]] auto _ : state) conv(pool, args);
  count_work(state, to_string(selected_isa()), layer.operations(),
             float_bytes({static_cast<Index>(input.size() + weights.size() + output.size())}));
}

void gradients(benchmark::State& state, const Layer& layer, bool of_weights) {
  ThreadPool pool(1);
  const Window window = layer.window();
  const std::vector<float> input = random_floats(window.in_pixels() * layer.in);
  const std::vector<float> gradient = random_floats(window.out_pixels() * layer.out);
  const std::vector<float> weights = random_floats(layer.in * layer.out * window.kernel_area());
  std::vector<float> result(of_weights ? weights.size() : input.size());
  for ([[maybe_unused]] auto _ : state) {
    if (of_weights) {
      conv_weight_gradient(pool, {window, layer.in, layer.out, input.data(), gradient.data(), result.data()});
    } else {
      conv_input_gradient(pool, {window, layer.in, layer.out, gradient.data(), weights.data(), result.data()});
    }
  }
  count_operations(state, layer.operations());
}

void gather(benchmark::State& state, const ConvKernels& kernels, const Layer& layer) {
  const Window window = layer.window();
  const std::vector<float> input = random_floats(window.in_pixels() * layer.in);
  const PatchGrid grid = patch_grid(window, input.data(), layer.in, layer.in);
  const Index pixels = std::min<Index>(window.out_pixels(), 96);
  std::vector<float> patches(static_cast<std::size_t>(pixels * grid.patch_size()));
  for ([[maybe_unused]] auto _ : state) kernels.gather(grid, {0, pixels}, patches.data());
  count_bytes(state, static_cast<double>(patches.size() * sizeof(float)));
}

const bool registered = [] {
  for (const Layer& layer : layers) {
    benchmark::RegisterBenchmark(path({"conv", layer.name()}).c_str(),
                                 [&](benchmark::State& state) { forward(state, layer); });
    benchmark::RegisterBenchmark(path({"conv_input_gradient", layer.name()}).c_str(),
                                 [&](benchmark::State& state) { gradients(state, layer, false); });
    benchmark::RegisterBenchmark(path({"conv_weight_gradient", layer.name()}).c_str(),
                                 [&](benchmark::State& state) { gradients(state, layer, true); });
  }
  return for_each_variant(conv_variants(), [](const std::string& isa, const ConvKernels& kernels) {
    for (const Layer& layer : layers) {
      benchmark::RegisterBenchmark(path({"patches", layer.name(), isa}).c_str(),
                                   [&](benchmark::State& state) { gather(state, kernels, layer); });
    }
  });
}();

}  // namespace
}  // namespace linnet::kernels::bench::conv_bench
