// Dense 3x3 convolution by Winograd's method and directly, by their drivers, with the instruction set in use.
// GFLOP/s are those of a direct convolution in both.
#include "kernels/winograd/winograd.h"

#include "benches/bench_kernels/bench.h"
#include "kernels/pointwise/scratch.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels::bench::winograd_bench {
namespace {

struct Layer {
  Index size, in, out;

  Window window() const { return {1, size, size, size, size, 3, 3, 1, 1, 1, 1}; }
};

/// SqueezeNet's expanding layers, EfficientNetV2's first blocks.
constexpr Layer layers[] = {{54, 16, 64},  {54, 32, 128}, {27, 32, 128}, {27, 48, 192}, {27, 64, 256}, {13, 48, 192},
                            {13, 64, 256}, {112, 16, 16}, {56, 32, 128}, {28, 48, 192}, {150, 24, 24}};

void run(benchmark::State& state, const Layer& layer, int threads, bool direct) {
  ThreadPool pool(threads);
  const Window window = layer.window();
  const std::vector<float> input = random_floats(window.in_pixels() * layer.in);
  const std::vector<float> weights = random_floats(layer.in * layer.out * 9);
  std::vector<float> output(static_cast<std::size_t>(window.out_pixels() * layer.out));
  const Scratch packed(direct ? conv_packed_size(layer.in, layer.out, 9) : winograd_packed_size(layer.in, layer.out));
  const Scratch workspace(direct ? conv_workspace_size(window, layer.in, layer.out, threads)
                                 : winograd_workspace_size(window, layer.in, layer.out, threads));
  if (direct) {
    conv_pack(weights.data(), layer.in, layer.out, 9, packed.data());
  } else {
    winograd_pack(weights.data(), layer.in, layer.out, packed.data());
  }
  const ConvArgs args{window,        layer.in,      layer.out, input.data(), layer.in,
                      packed.data(), output.data(), layer.out, {},           workspace.data()};
  for ([[maybe_unused]] auto _ : state) (direct ? conv : winograd)(pool, args);
  count_operations(state, 2.0 * static_cast<double>(window.out_pixels() * 9 * layer.in * layer.out));
}

const bool registered = [] {
  for (const Layer& layer : layers) {
    for (const int threads : {1, 2}) {
      const std::string name = shape({layer.size, layer.size, layer.in, layer.out});
      const std::string on = "threads:" + std::to_string(threads);
      benchmark::RegisterBenchmark(path({"winograd", name, on}).c_str(), [=](benchmark::State& state) {
        run(state, layer, threads, false);
      })->UseRealTime();
      benchmark::RegisterBenchmark(path({"winograd_direct", name, on}).c_str(), [=](benchmark::State& state) {
        run(state, layer, threads, true);
      })->UseRealTime();
    }
  }
  return true;
}();

}  // namespace
}  // namespace linnet::kernels::bench::winograd_bench
