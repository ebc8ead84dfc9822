#include "kernels/linear/linear.h"

#include "benches/bench_kernels/bench.h"

namespace linnet::kernels::bench::linear_bench {
namespace {

struct Layer {
  Index rows, in, out;
  std::string name() const { return shape({rows, in, out}); }
};

constexpr Layer layers[] = {{1, 1024, 1000}, {1, 1280, 1000}, {8, 1280, 1000}, {128, 1280, 100}};

void forward(benchmark::State& state, const std::string& isa, const LinearKernels& kernels, const Layer& layer) {
  const std::vector<float> input = random_floats(layer.rows * layer.in);
  const std::vector<float> weights = random_floats(layer.in * layer.out), bias = random_floats(layer.out);
  std::vector<float> output(static_cast<std::size_t>(layer.rows * layer.out));
  const LinearArgs args{layer.rows,     layer.in,    layer.out,        input.data(),
                        weights.data(), bias.data(), Activation::none, output.data()};
  for ([[maybe_unused]] auto _ : state) kernels.run(args, {0, layer.out});
  count_work(state, isa, 2.0 * static_cast<double>(layer.rows * layer.in * layer.out),
             float_bytes({layer.rows * layer.in, layer.in * layer.out, layer.rows * layer.out}));
  count_bytes(state, static_cast<double>(weights.size() * sizeof(float)));
}

void column_sums(benchmark::State& state, const LinearKernels& kernels, const Layer& layer) {
  const std::vector<float> values = random_floats(layer.rows * layer.out);
  std::vector<float> sums(static_cast<std::size_t>(layer.out));
  for ([[maybe_unused]] auto _ : state)
    kernels.column_sums(values.data(), layer.out, {0, layer.rows}, {0, layer.out}, sums.data());
  count_bytes(state, static_cast<double>(values.size() * sizeof(float)));
}

const bool registered = for_each_variant(linear_variants(), [](const std::string& isa, const LinearKernels& kernels) {
  for (const Layer& layer : layers) {
    benchmark::RegisterBenchmark(path({"linear", layer.name(), isa}).c_str(),
                                 [=, &kernels](benchmark::State& state) { forward(state, isa, kernels, layer); });
    benchmark::RegisterBenchmark(path({"column_sums", shape({layer.rows, layer.out}), isa}).c_str(),
                                 [&](benchmark::State& state) { column_sums(state, kernels, layer); });
  }
});

}  // namespace
}  // namespace linnet::kernels::bench::linear_bench
