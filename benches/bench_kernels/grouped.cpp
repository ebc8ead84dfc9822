// Grouped 1x1 convolution by its drivers, with the instruction set in use.
#include "kernels/grouped/grouped.h"

#include "benches/bench_kernels/bench.h"
#include "kernels/pointwise/scratch.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels::bench::grouped_bench {
namespace {

struct Layer {
  Index size, groups, in, out;

  Window window() const { return {1, size, size, size, size}; }
  double operations() const { return 2.0 * static_cast<double>(size * size) * static_cast<double>(in / groups * out); }
  std::string name() const { return shape({size, size, in, out}) + "/g" + std::to_string(groups); }
};

/// ShuffleNetV1 with 3 and with 8 groups.
constexpr Layer layers[] = {{28, 3, 60, 240}, {28, 3, 240, 60}, {14, 3, 120, 480},
                            {7, 3, 960, 240}, {28, 8, 384, 96}, {14, 8, 192, 768}};

void forward(benchmark::State& state, const Layer& layer) {
  ThreadPool pool(1);
  const Window window = layer.window();
  const std::vector<float> input = random_floats(window.in_pixels() * layer.in);
  const std::vector<float> weights = random_floats(layer.in / layer.groups * layer.out);
  std::vector<float> output(static_cast<std::size_t>(window.out_pixels() * layer.out));
  const Scratch packed(grouped_packed_size(layer.groups, layer.in, layer.out, 1));
  grouped_pack(weights.data(), layer.groups, layer.in, layer.out, 1, packed.data());
  const GroupedArgs args{window,        layer.groups,  layer.in,  layer.out, input.data(), layer.in,
                         packed.data(), output.data(), layer.out, {},        nullptr};
  for ([[maybe_unused]] auto _ : state) grouped(pool, args);
  count_work(state, to_string(selected_isa()), layer.operations(),
             float_bytes({static_cast<Index>(input.size() + weights.size() + output.size())}));
}

void gradients(benchmark::State& state, const Layer& layer, bool of_weights) {
  ThreadPool pool(1);
  const Window window = layer.window();
  const std::vector<float> input = random_floats(window.in_pixels() * layer.in);
  const std::vector<float> gradient = random_floats(window.out_pixels() * layer.out);
  const std::vector<float> weights = random_floats(layer.in / layer.groups * layer.out);
  std::vector<float> result(of_weights ? weights.size() : input.size());
  for ([[maybe_unused]] auto _ : state) {
    if (of_weights) {
      grouped_weight_gradient(
          pool, {window, layer.groups, layer.in, layer.out, input.data(), gradient.data(), result.data()});
    } else {
      grouped_input_gradient(
          pool, {window, layer.groups, layer.in, layer.out, gradient.data(), weights.data(), result.data()});
    }
  }
  count_operations(state, layer.operations());
}

const bool registered = [] {
  for (const Layer& layer : layers) {
    benchmark::RegisterBenchmark(path({"grouped", layer.name()}).c_str(),
                                 [&](benchmark::State& state) { forward(state, layer); });
    benchmark::RegisterBenchmark(path({"grouped_input_gradient", layer.name()}).c_str(),
                                 [&](benchmark::State& state) { gradients(state, layer, false); });
    benchmark::RegisterBenchmark(path({"grouped_weight_gradient", layer.name()}).c_str(),
                                 [&](benchmark::State& state) { gradients(state, layer, true); });
  }
  return true;
}();

}  // namespace
}  // namespace linnet::kernels::bench::grouped_bench
