#include "kernels/batch_norm/batch_norm.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "golden/golden.h"
#include "kernel_test.h"
#include "kernels/common/scalar_activation.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels::test::batch_norm_test {
namespace {

constexpr Activation activations[] = {Activation::none,         Activation::relu, Activation::relu6,
                                      Activation::hard_swish,   Activation::silu, Activation::sigmoid,
                                      Activation::hard_sigmoid, Activation::gelu};

struct Shape {
  Index rows, channels;
};
constexpr Shape shapes[] = {{1, 5}, {2, 1}, {3, 8}, {4, 7}, {17, 16}, {65, 9}, {150, 33}, {130, 270}};

std::string describe(const Shape& shape, Activation activation) {
  return std::to_string(shape.rows) + " rows of " + std::to_string(shape.channels) + ", " +
         std::string(to_string(activation));
}

std::size_t position(Index i) { return static_cast<std::size_t>(i); }

/// A layer with statistics, computed in double.
struct Layer {
  Layer(const Shape& s, float low, float high)
      : shape(s),
        input(random_floats(s.rows * s.channels, 1, low, high), 1),
        output_gradient(random_floats(s.rows * s.channels, 2), 2),
        gamma(random_floats(s.channels, 3, 0.5f, 2.0f), 3),
        beta(random_floats(s.channels, 4, -1.0f, 2.0f)),
        mean(s.channels, 1),
        variance(s.channels),
        inverse_std(s.channels) {
    for (Index c = 0; c < s.channels; ++c) {
      double sum = 0.0, squares = 0.0;
      for (Index row = 0; row < s.rows; ++row) sum += at(input, row, c);
      const double center = sum / static_cast<double>(s.rows);
      for (Index row = 0; row < s.rows; ++row) squares += (at(input, row, c) - center) * (at(input, row, c) - center);
      exact_mean.push_back(center);
      exact_squares.push_back(squares);
      mean.data()[c] = static_cast<float>(center);
      variance.data()[c] = static_cast<float>(squares / static_cast<double>(s.rows));
      inverse_std.data()[c] = static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(s.rows) + 1e-5));
    }
  }

  double at(const Guarded& tensor, Index row, Index c) const {
    return static_cast<double>(tensor.data()[row * shape.channels + c]);
  }
  Index size() const { return shape.rows * shape.channels; }
  BatchNormGradientArgs gradient_args(Activation activation, const float* gradient, float* input_gradient) const {
    BatchNormGradientArgs args;
    args.rows = shape.rows;
    args.channels = shape.channels;
    args.input = input.data();
    args.output_gradient = gradient;
    args.norm = norm(activation);
    args.input_gradient = input_gradient;
    return args;
  }
  Norm norm(Activation activation) const {
    return {gamma.data(), beta.data(), mean.data(), inverse_std.data(), activation};
  }

  Shape shape;
  Guarded input, output_gradient, gamma, beta, mean, variance, inverse_std;
  std::vector<double> exact_mean, exact_squares;
};

/// Rows are cut in the middle, so that ranges begin and end anywhere.
template <class Function>
void in_two_ranges(Index rows, Function&& f) {
  const Index cut = rows / 2;
  if (cut > 0) f(Range{0, cut});
  f(Range{cut, rows});
}

using ScaleShift = VariantTest<ScaleShiftKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, ScaleShift, every(scale_shift_variants()), variant_name<ScaleShiftKernels>);
using BatchNorm = VariantTest<BatchNormKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, BatchNorm, every(batch_norm_variants()), variant_name<BatchNormKernels>);

TEST_P(ScaleShift, MatchesReference) {
  for (const Shape& shape : shapes) {
    for (const Activation activation : activations) {
      SCOPED_TRACE(describe(shape, activation));
      const Layer layer(shape, -6.0f, 6.0f);
      Guarded expected(layer.size());
      for (Index i = 0; i < layer.size(); ++i) {
        const Index c = i % shape.channels;
        expected.data()[i] =
            scalar::activate(activation, layer.input.data()[i] * layer.gamma.data()[c] + layer.beta.data()[c]);
      }
      Guarded output(layer.input.values(), 1);  // in place
      in_two_ranges(shape.rows, [&](Range rows) {
        kernels().scale_shift(shape.channels, rows, output.data(), layer.gamma.data(), layer.beta.data(), activation,
                              output.data());
      });
      ASSERT_TRUE(near(output, expected, 2e-6, 2e-6));
    }
  }
}

TEST_P(BatchNorm, MomentsAreAccurateFarFromZero) {
  for (const Shape& shape : shapes) {
    for (const float offset : {0.0f, 100.0f, -30000.0f}) {
      SCOPED_TRACE(describe(shape, Activation::none) + ", around " + std::to_string(offset));
      const Layer layer(shape, offset - 1.0f, offset + 1.0f);
      std::vector<double> mean(position(shape.channels + 1), -7.0), squares(position(shape.channels + 1), -7.0);
      kernels().moments(shape.channels, {0, shape.rows}, layer.input.data(), mean.data(), squares.data());
      for (Index c = 0; c < shape.channels; ++c) {
        ASSERT_NEAR(mean[position(c)], layer.exact_mean[position(c)], 1e-6) << "channel " << c;
        ASSERT_NEAR(squares[position(c)], layer.exact_squares[position(c)],
                    1e-5 * layer.exact_squares[position(c)] + 1e-9)
            << "channel " << c;
      }
      ASSERT_EQ(mean.back(), -7.0);
      ASSERT_EQ(squares.back(), -7.0);
    }
  }
}

TEST_P(BatchNorm, Normalise) {
  for (const Shape& shape : shapes) {
    for (const Activation activation : activations) {
      SCOPED_TRACE(describe(shape, activation));
      const Layer layer(shape, 50.0f, 60.0f);
      Guarded output(layer.size(), 3), expected(layer.size());
      const Norm norm = layer.norm(activation);
      scalar::batch_norm_kernels.normalise(shape.channels, {0, shape.rows}, norm, layer.input.data(), expected.data());
      in_two_ranges(shape.rows, [&](Range rows) {
        kernels().normalise(shape.channels, rows, norm, layer.input.data(), output.data());
      });
      ASSERT_TRUE(near(output, expected, 2e-6, 2e-6));
    }
  }
}

TEST_P(BatchNorm, Gradient) {
  for (const Shape& shape : shapes) {
    for (const Activation activation : activations) {
      SCOPED_TRACE(describe(shape, activation));
      const Layer layer(shape, -8.0f, 10.0f);
      const BatchNormGradientArgs sums_args = layer.gradient_args(activation, layer.output_gradient.data(), nullptr);
      const auto channels = position(shape.channels);
      std::vector<double> expected(2 * channels), sums(2 * channels + 1, -7.0);
      scalar::batch_norm_kernels.gradient_sums(sums_args, {0, shape.rows}, expected.data(), expected.data() + channels);
      kernels().gradient_sums(sums_args, {0, shape.rows}, sums.data(), sums.data() + channels);
      for (std::size_t i = 0; i < 2 * channels; ++i) {
        ASSERT_NEAR(sums[i], expected[i], 1e-5 * static_cast<double>(shape.rows)) << "sum " << i;
      }
      ASSERT_EQ(sums.back(), -7.0);

      const Guarded means(random_floats(2 * shape.channels, 9), 1);
      const BatchNormGradientMeans gradient_means{means.data(), means.data() + shape.channels};
      Guarded in_place(layer.output_gradient.values(), 1), reference(layer.size());
      const auto reference_args = layer.gradient_args(activation, layer.output_gradient.data(), reference.data());
      scalar::batch_norm_kernels.input_gradient(reference_args, gradient_means, {0, shape.rows});
      const auto args = layer.gradient_args(activation, in_place.data(), in_place.data());
      in_two_ranges(shape.rows, [&](Range rows) { kernels().input_gradient(args, gradient_means, rows); });
      ASSERT_TRUE(near(in_place, reference, 5e-6, 5e-6));
    }
  }
}

/// Everything that a training step computes, for comparison between numbers of threads.
struct Step {
  Step(ThreadPool& pool, const Layer& layer, Activation activation)
      : output(layer.size()),
        mean(layer.shape.channels),
        variance(layer.shape.channels),
        inverse_std(layer.shape.channels),
        input_gradient(layer.size()),
        gamma_gradient(layer.shape.channels),
        beta_gradient(layer.shape.channels) {
    BatchNormArgs args;
    args.rows = layer.shape.rows;
    args.channels = layer.shape.channels;
    args.input = layer.input.data();
    args.gamma = layer.gamma.data();
    args.beta = layer.beta.data();
    args.activation = activation;
    args.output = output.data();
    args.mean = mean.data();
    args.variance = variance.data();
    args.inverse_std = inverse_std.data();
    batch_norm(pool, args);
    BatchNormGradientArgs gradient_args =
        layer.gradient_args(activation, layer.output_gradient.data(), input_gradient.data());
    gradient_args.norm.mean = mean.data();
    gradient_args.norm.inverse_std = inverse_std.data();
    gradient_args.gamma_gradient = gamma_gradient.data();
    gradient_args.beta_gradient = beta_gradient.data();
    batch_norm_gradient(pool, gradient_args);
  }

  std::vector<float> all() const {
    std::vector<float> values;
    for (const Guarded* tensor :
         {&output, &mean, &variance, &inverse_std, &input_gradient, &gamma_gradient, &beta_gradient}) {
      EXPECT_TRUE(tensor->intact());
      values.insert(values.end(), tensor->data(), tensor->data() + tensor->size());
    }
    return values;
  }

  Guarded output, mean, variance, inverse_std, input_gradient, gamma_gradient, beta_gradient;
};

TEST(BatchNormDriver, ThreadsDoNotChangeTheBits) {
  for (const Shape shape : {Shape{3, 4}, Shape{5000, 40}, Shape{70, 2100}}) {
    SCOPED_TRACE(describe(shape, Activation::hard_swish));
    const Layer layer(shape, 20.0f, 30.0f);
    ThreadPool one(1);
    const Step step(one, layer, Activation::hard_swish);
    for (Index c = 0; c < shape.channels; ++c) {
      ASSERT_NEAR(static_cast<double>(step.mean.data()[c]), layer.exact_mean[position(c)], 4e-6);
      ASSERT_NEAR(step.variance.data()[c], layer.variance.data()[c], 1e-5f * layer.variance.data()[c]);
      ASSERT_NEAR(step.inverse_std.data()[c], layer.inverse_std.data()[c], 1e-5f * layer.inverse_std.data()[c]);
    }
    for (const int threads : {2, 3}) {
      ThreadPool pool(threads);
      ASSERT_TRUE(identical(Step(pool, layer, Activation::hard_swish).all(), step.all())) << threads << " threads";
    }
  }
}

/// The derivative of a random functional of the output, by central differences of a forward pass in double.
TEST(BatchNormDriver, GradientIsTheDerivative) {
  const Shape shape{6, 3};
  for (const Activation activation : {Activation::none, Activation::silu, Activation::gelu, Activation::hard_swish}) {
    SCOPED_TRACE(to_string(activation));
    const Layer layer(shape, -2.0f, 3.0f);
    ThreadPool pool(1);
    const Step step(pool, layer, activation);
    const auto activated = [activation](double z) {
      if (activation == Activation::silu) return z / (1.0 + std::exp(-z));
      if (activation == Activation::gelu) return 0.5 * z * (1.0 + std::erf(z / std::sqrt(2.0)));
      if (activation == Activation::hard_swish) return z * std::clamp(z + 3.0, 0.0, 6.0) / 6.0;
      return z;
    };
    std::vector<double> x, gamma, beta;
    for (const float value : layer.input.values()) x.push_back(static_cast<double>(value));
    for (const float value : layer.gamma.values()) gamma.push_back(static_cast<double>(value));
    for (const float value : layer.beta.values()) beta.push_back(static_cast<double>(value));
    const auto loss = [&] {
      double total = 0.0;
      for (Index c = 0; c < shape.channels; ++c) {
        double mean = 0.0, variance = 0.0;
        const auto at = [&](Index row) { return x[position(row * shape.channels + c)]; };
        for (Index row = 0; row < shape.rows; ++row) mean += at(row) / static_cast<double>(shape.rows);
        for (Index row = 0; row < shape.rows; ++row) {
          variance += (at(row) - mean) * (at(row) - mean) / static_cast<double>(shape.rows);
        }
        for (Index row = 0; row < shape.rows; ++row) {
          const double normalised = (at(row) - mean) / std::sqrt(variance + 1e-5);
          total +=
              layer.at(layer.output_gradient, row, c) * activated(gamma[position(c)] * normalised + beta[position(c)]);
        }
      }
      return total;
    };
    const auto expect_derivative = [&](std::vector<double>& variables, const Guarded& gradient) {
      for (std::size_t i = 0; i < variables.size(); ++i) {
        const double value = variables[i], h = 1e-5;
        variables[i] = value + h;
        const double above = loss();
        variables[i] = value - h;
        const double below = loss();
        variables[i] = value;
        ASSERT_NEAR(static_cast<double>(gradient.data()[i]), (above - below) / (2 * h), 2e-5) << "at " << i;
      }
    };
    expect_derivative(x, step.input_gradient);
    expect_derivative(gamma, step.gamma_gradient);
    expect_derivative(beta, step.beta_gradient);
  }
}

// ---- PyTorch's results, golden_data/batchnorm

using Json = nlohmann::json;

/// Rows of channels from a tensor [batch, channels, height, width].
std::vector<float> to_rows(const Json& json) {
  const auto shape = json.at("shape").get<std::vector<Index>>();
  const auto values = json.at("data").get<std::vector<double>>();
  const Index channels = shape.at(1), pixels = static_cast<Index>(values.size()) / (shape.at(0) * channels);
  std::vector<float> rows(values.size());
  for (Index i = 0; i < static_cast<Index>(values.size()); ++i) {
    const Index pixel = i % pixels, c = i / pixels % channels, image = i / pixels / channels;
    rows[position((image * pixels + pixel) * channels + c)] = static_cast<float>(values[position(i)]);
  }
  return rows;
}

/// One value per channel; absent in layers without affine parameters.
std::vector<float> per_channel(const Json& json, const char* name, Index channels, float otherwise) {
  if (!json.contains(name) || json.at(name).is_null()) return std::vector<float>(position(channels), otherwise);
  return json.at(name).get<std::vector<float>>();
}

void check_step(const Json& layer, const Json& step, bool training) {
  const std::vector<float> input = to_rows(step.at("input")), gradient = to_rows(step.at("output_gradient"));
  const Index channels = step.at("input").at("shape").at(1).get<Index>();
  const Index rows = static_cast<Index>(input.size()) / channels;
  const std::vector<float> gamma = per_channel(layer, "weight", channels, 1.0f);
  const std::vector<float> beta = per_channel(layer, "bias", channels, 0.0f);
  const float epsilon = layer.at("arguments").at("eps").get<float>();
  std::vector<float> mean(position(channels)), variance(mean), inverse_std(mean), output(input.size());
  ThreadPool pool(1);
  if (training) {
    batch_norm(pool, {rows, channels, input.data(), gamma.data(), beta.data(), epsilon, Activation::none, output.data(),
                      mean.data(), variance.data(), inverse_std.data()});
  } else {
    const Json& last = layer.at("train_steps").empty() ? layer : layer.at("train_steps").back();
    const std::string suffix = layer.at("train_steps").empty() ? "_before" : "_after";
    mean = per_channel(last, ("running_mean" + suffix).c_str(), channels, 0.0f);
    variance = per_channel(last, ("running_var" + suffix).c_str(), channels, 1.0f);
    std::vector<float> scale(mean.size()), shift(mean.size());
    for (std::size_t c = 0; c < mean.size(); ++c) {
      inverse_std[c] = 1.0f / std::sqrt(variance[c] + epsilon);
      scale[c] = gamma[c] * inverse_std[c];
      shift[c] = beta[c] - mean[c] * scale[c];
    }
    scale_shift(pool, rows, channels, input.data(), scale.data(), shift.data(), Activation::none, output.data());
  }
  EXPECT_TRUE(near(output, to_rows(step.at("output")), 1e-5, 1e-5)) << "output";

  std::vector<float> input_gradient(input.size()), gamma_gradient(mean.size()), beta_gradient(mean.size());
  BatchNormGradientArgs args;
  args.rows = rows;
  args.channels = channels;
  args.input = input.data();
  args.output_gradient = gradient.data();
  args.norm = {gamma.data(), beta.data(), mean.data(), inverse_std.data(), Activation::none};
  args.fixed_statistics = !training;
  args.input_gradient = input_gradient.data();
  args.gamma_gradient = gamma_gradient.data();
  args.beta_gradient = beta_gradient.data();
  batch_norm_gradient(pool, args);
  EXPECT_TRUE(near(input_gradient, to_rows(step.at("input_gradient")), 2e-5, 1e-5)) << "input gradient";
  if (step.contains("weight_gradient") && !step.at("weight_gradient").is_null()) {
    EXPECT_TRUE(near(gamma_gradient, step.at("weight_gradient").get<std::vector<float>>(), 2e-5, 1e-5)) << "gamma";
    EXPECT_TRUE(near(beta_gradient, step.at("bias_gradient").get<std::vector<float>>(), 2e-5, 1e-5)) << "beta";
  }
}

TEST(BatchNormDriver, AgreesWithGoldenData) {
  std::map<std::string, std::filesystem::path> files;
  for (const std::string& root : {golden::shared_dir(), std::string(LINNET_TEST_DATA_DIR)}) {
    const std::filesystem::path folder = std::filesystem::path(root) / "golden_data" / "batchnorm";
    if (!std::filesystem::is_directory(folder)) continue;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      if (file.path().extension() == ".json") files.emplace(file.path().filename().string(), file.path());
    }
  }
  if (files.empty()) GTEST_SKIP() << "no golden_data/batchnorm";
  int steps = 0;
  for (const auto& [name, path] : files) {
    std::ifstream stream(path);
    const Json json = Json::parse(stream);
    for (const Json& layer : json.at("cases")) {
      SCOPED_TRACE(name + ": " + layer.at("name").get<std::string>());
      const bool has_statistics = layer.at("arguments").at("track_running_stats").get<bool>();
      for (const Json& step : layer.at("train_steps")) {
        check_step(layer, step, true);
        ++steps;
      }
      if (!layer.contains("eval_mode") || layer.at("eval_mode").is_null()) continue;
      check_step(layer, layer.at("eval_mode"), !has_statistics);
      ++steps;
    }
  }
  std::cout << steps << " steps of " << files.size() << " files\n";
  EXPECT_GT(steps, 0);
}

}  // namespace
}  // namespace linnet::kernels::test::batch_norm_test
