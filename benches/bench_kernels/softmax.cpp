#include "kernels/softmax/softmax.h"

#include "benches/bench_kernels/bench.h"

namespace linnet::kernels::bench::softmax_bench {
namespace {

void register_softmax(const std::string& isa, const SoftmaxKernels& kernels, Index rows, Index size) {
  const double floats = static_cast<double>(rows * size) * sizeof(float);
  benchmark::RegisterBenchmark(path({"softmax", shape({rows, size}), isa}).c_str(),
                               [=, &kernels](benchmark::State& state) {
                                 const std::vector<float> x = random_floats(rows * size);
                                 std::vector<float> y(x.size());
                                 for ([[maybe_unused]] auto _ : state) kernels.softmax(rows, size, x.data(), y.data());
                                 count_bytes(state, 2 * floats);
                               });
  benchmark::RegisterBenchmark(
      path({"softmax_gradient", shape({rows, size}), isa}).c_str(), [=, &kernels](benchmark::State& state) {
        const std::vector<float> y = random_floats(rows * size), g = random_floats(rows * size);
        std::vector<float> dx(y.size());
        for ([[maybe_unused]] auto _ : state) kernels.softmax_gradient(rows, size, y.data(), g.data(), dx.data());
        count_bytes(state, 3 * floats);
      });
}

const bool registered = for_each_variant(softmax_variants(), [](const std::string& isa, const SoftmaxKernels& kernels) {
  register_softmax(isa, kernels, 1, 1000);
  register_softmax(isa, kernels, 128, 10);
  register_softmax(isa, kernels, 196, 196);
});

}  // namespace
}  // namespace linnet::kernels::bench::softmax_bench
