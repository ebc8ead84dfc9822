#include "kernels/batch_norm/batch_norm.h"

#include "benches/bench_kernels/bench.h"

namespace linnet::kernels::bench::batch_norm_bench {
namespace {

/// Rows and channels of layers at batch 16 or so: one that leaves every cache, one that does not.
constexpr Index sizes[][2] = {{50176, 96}, {784, 384}};

/// The tensors of a training step.
struct Step {
  Step(Index rows, Index channels)
      : input(random_floats(rows * channels)),
        output(input.size()),
        gamma(random_floats(channels)),
        beta(random_floats(channels)),
        mean(random_floats(channels)),
        inverse_std(static_cast<std::size_t>(channels), 1.7f),
        sums(static_cast<std::size_t>(2 * channels)),
        means(random_floats(2 * channels)) {
    backward.rows = rows;
    backward.channels = channels;
    backward.input = backward.output_gradient = input.data();
    backward.norm = {gamma.data(), beta.data(), mean.data(), inverse_std.data(), Activation::none};
    backward.input_gradient = output.data();
    all = {0, rows};
  }
  double bytes(int tensors) const { return static_cast<double>(input.size() * sizeof(float)) * tensors; }

  std::vector<float> input, output, gamma, beta, mean, inverse_std;
  std::vector<double> sums;
  std::vector<float> means;
  BatchNormGradientArgs backward;
  Range all;
};

/// What registers the passes of one size.
auto adder(const std::string& isa, Index rows, Index channels) {
  return [=](std::string_view pass, std::string_view activation, int tensors, auto run) {
    benchmark::RegisterBenchmark(path({"batch_norm", pass, activation, shape({rows, channels}), isa}).c_str(),
                                 [=](benchmark::State& state) {
                                   Step step(rows, channels);
                                   for ([[maybe_unused]] auto _ : state) run(step);
                                   count_bytes(state, step.bytes(tensors));
                                 });
  };
}

constexpr Activation activations[] = {Activation::none, Activation::relu6, Activation::hard_swish, Activation::silu};

void register_scale_shift(const std::string& isa, const ScaleShiftKernels& kernels, Index rows, Index channels) {
  const auto add = adder(isa, rows, channels);
  for (const Activation activation : activations) {
    add("scale_shift", to_string(activation), 2, [&kernels, activation](Step& step) {
      kernels.scale_shift(step.backward.channels, step.all, step.input.data(), step.gamma.data(), step.beta.data(),
                          activation, step.output.data());
    });
  }
}

void register_training(const std::string& isa, const BatchNormKernels& kernels, Index rows, Index channels) {
  const auto add = adder(isa, rows, channels);
  add("moments", "none", 1, [&kernels](Step& step) {
    kernels.moments(step.backward.channels, step.all, step.input.data(), step.sums.data(),
                    step.sums.data() + step.backward.channels);
  });
  for (const Activation activation : activations) {
    const std::string_view name = to_string(activation);
    add("normalise", name, 2, [&kernels, activation](Step& step) {
      step.backward.norm.activation = activation;
      kernels.normalise(step.backward.channels, step.all, step.backward.norm, step.input.data(), step.output.data());
    });
    add("gradient_sums", name, 2, [&kernels, activation](Step& step) {
      step.backward.norm.activation = activation;
      kernels.gradient_sums(step.backward, step.all, step.sums.data(), step.sums.data() + step.backward.channels);
    });
    add("input_gradient", name, 3, [&kernels, activation](Step& step) {
      step.backward.norm.activation = activation;
      kernels.input_gradient(step.backward, {step.means.data(), step.means.data() + step.backward.channels}, step.all);
    });
  }
}

const bool scale_shift_registered =
    for_each_variant(scale_shift_variants(), [](const std::string& isa, const ScaleShiftKernels& kernels) {
      for (const auto& [rows, channels] : sizes) register_scale_shift(isa, kernels, rows, channels);
    });
const bool registered =
    for_each_variant(batch_norm_variants(), [](const std::string& isa, const BatchNormKernels& kernels) {
      for (const auto& [rows, channels] : sizes) register_training(isa, kernels, rows, channels);
    });

}  // namespace
}  // namespace linnet::kernels::bench::batch_norm_bench
