// Forward and backward by bands against the passes that they stand for, one after the other.
#include "kernels/depthwise_norm/depthwise_norm.h"

#include "kernel_test.h"
#include "kernels/depthwise/depthwise.h"
#include "linnet/thread_pool.h"
#include "norm_layer.h"
#include "window_shapes.h"

namespace linnet::kernels::test::depthwise_norm_test {
namespace {

struct Case {
  Window window;
  Index channels;
  Activation input, output;
  bool has_input_norm;
};

/// Every kernel and stride, one band and many, bands of one row, inputs that no window meets.
std::vector<Case> cases() {
  const auto window = [](Index batch, Index height, Index width, Index kernel, Index stride, Padding padding) {
    return make_window({batch, height, width, kernel, kernel, stride}, padding);
  };
  std::vector<Case> all = {
      {window(2, 1, 1, 3, 1, Padding::symmetric), 5, Activation::relu6, Activation::none, true},
      {window(1, 9, 30, 3, 1, Padding::none), 17, Activation::relu, Activation::silu, false},
      {window(1, 12, 700, 3, 1, Padding::symmetric), 130, Activation::relu6, Activation::relu6, true},
  };
  for (const Index kernel : {3, 5, 7}) {
    for (const Index stride : {1, 2}) {
      for (const Padding padding : {Padding::symmetric, Padding::same}) {
        all.push_back({window(2, 41, 53, kernel, stride, padding), 40, Activation::silu, Activation::relu, true});
        all.push_back({window(1, 70, 75, kernel, stride, padding), 24, Activation::none, Activation::relu6, true});
      }
    }
  }
  return all;
}

struct Forward {
  std::vector<float> output, mean, variance, inverse_std;
};
struct Backward {
  std::vector<float> weight_gradient, input_gradient;
  std::vector<double> input_sums;
};

std::size_t position(Index i) { return static_cast<std::size_t>(i); }

class Step {
 public:
  explicit Step(const Case& c)
      : c_(c),
        input_(random_floats(c.window.in_pixels() * c.channels, 1, -3.0f, 5.0f)),
        weights_(random_floats(c.window.kernel_area() * c.channels, 2)),
        output_gradient_(random_floats(c.window.out_pixels() * c.channels, 3)),
        input_layer_(c.channels, 10, c.input),
        output_layer_(c.channels, 20, c.output) {}

  Forward by_bands(ThreadPool& pool) const {
    const Norm norm = input_layer_.norm();
    Forward result = room();
    depthwise_norm(pool, {.window = c_.window,
                          .channels = c_.channels,
                          .input = input_.data(),
                          .input_norm = c_.has_input_norm ? &norm : nullptr,
                          .weights = weights_.data(),
                          .output = result.output.data(),
                          .mean = result.mean.data(),
                          .variance = result.variance.data(),
                          .inverse_std = result.inverse_std.data()});
    return result;
  }

  Forward by_passes(ThreadPool& pool) const {
    Forward result = room();
    const std::vector<float> input = normalised_input(pool);
    depthwise(pool, {.window = c_.window,
                     .channels = c_.channels,
                     .input = input.data(),
                     .weights = weights_.data(),
                     .output = result.output.data(),
                     .epilogue = {}});
    batch_norm_statistics(pool, {.rows = c_.window.out_pixels(),
                                 .channels = c_.channels,
                                 .input = result.output.data(),
                                 .mean = result.mean.data(),
                                 .variance = result.variance.data(),
                                 .inverse_std = result.inverse_std.data()});
    return result;
  }

  Backward gradients_by_bands(ThreadPool& pool, const std::vector<float>& products, bool wants_input) const {
    const Norm norm = input_layer_.norm();
    const std::vector<double> sums = output_sums(pool, products);
    const bool wants_sums = wants_input && c_.has_input_norm;
    Backward result = gradient_room();
    depthwise_norm_gradient(pool, {.window = c_.window,
                                   .channels = c_.channels,
                                   .input = input_.data(),
                                   .input_norm = c_.has_input_norm ? &norm : nullptr,
                                   .output = products.data(),
                                   .output_norm = output_layer_.norm(),
                                   .output_gradient = output_gradient_.data(),
                                   .output_sums = sums.data(),
                                   .weights = weights_.data(),
                                   .weight_gradient = result.weight_gradient.data(),
                                   .input_gradient = wants_input ? result.input_gradient.data() : nullptr,
                                   .input_sums = wants_sums ? result.input_sums.data() : nullptr});
    return result;
  }

  Backward gradients_by_passes(ThreadPool& pool, const std::vector<float>& products) const {
    std::vector<float> product_gradient(products.size());
    BatchNormGradientArgs args = output_args(products);
    args.input_gradient = product_gradient.data();
    batch_norm_input_gradient(pool, args, output_sums(pool, products).data());
    Backward result = gradient_room();
    const std::vector<float> input = normalised_input(pool);
    depthwise_weight_gradient(pool, {.window = c_.window,
                                     .channels = c_.channels,
                                     .input = input.data(),
                                     .output_gradient = product_gradient.data(),
                                     .weight_gradient = result.weight_gradient.data()});
    depthwise_input_gradient(pool, {.window = c_.window,
                                    .channels = c_.channels,
                                    .output_gradient = product_gradient.data(),
                                    .weights = weights_.data(),
                                    .input_gradient = result.input_gradient.data()});
    if (c_.has_input_norm) {
      batch_norm_gradient_sums(pool,
                               {.rows = c_.window.in_pixels(),
                                .channels = c_.channels,
                                .input = input_.data(),
                                .output_gradient = result.input_gradient.data(),
                                .norm = input_layer_.norm()},
                               result.input_sums.data());
    }
    return result;
  }

 private:
  Forward room() const {
    const auto channels = position(c_.channels);
    return {std::vector<float>(output_gradient_.size(), NAN), std::vector<float>(channels, NAN),
            std::vector<float>(channels, NAN), std::vector<float>(channels, NAN)};
  }
  Backward gradient_room() const {
    return {std::vector<float>(weights_.size(), NAN), std::vector<float>(input_.size(), NAN),
            std::vector<double>(c_.has_input_norm ? position(2 * c_.channels) : 0, NAN)};
  }
  std::vector<float> normalised_input(ThreadPool& pool) const {
    if (!c_.has_input_norm) return input_;
    std::vector<float> result(input_.size());
    normalise(pool, c_.window.in_pixels(), c_.channels, input_layer_.norm(), input_.data(), result.data());
    return result;
  }
  BatchNormGradientArgs output_args(const std::vector<float>& products) const {
    return {.rows = c_.window.out_pixels(),
            .channels = c_.channels,
            .input = products.data(),
            .output_gradient = output_gradient_.data(),
            .norm = output_layer_.norm()};
  }
  std::vector<double> output_sums(ThreadPool& pool, const std::vector<float>& products) const {
    std::vector<double> sums(position(2 * c_.channels));
    batch_norm_gradient_sums(pool, output_args(products), sums.data());
    return sums;
  }

  Case c_;
  std::vector<float> input_, weights_, output_gradient_;
  NormLayer input_layer_, output_layer_;
};

TEST(DepthwiseNorm, IsThePassesInOneWithTheSameBitsForAnyThreads) {
  ThreadPool pool(1), three(3);
  for (const Case& c : cases()) {
    SCOPED_TRACE(describe(c.window, c.channels));
    const Step step(c);
    const Forward expected = step.by_passes(pool), found = step.by_bands(pool), again = step.by_bands(three);
    EXPECT_EQ(found.output, expected.output);
    expect_near(found.mean, expected.mean, 1e-6);
    expect_near(found.variance, expected.variance, 1e-6);
    expect_near(found.inverse_std, expected.inverse_std, 1e-6);
    for (const auto part : {&Forward::output, &Forward::mean, &Forward::variance, &Forward::inverse_std}) {
      EXPECT_EQ(again.*part, found.*part);
    }
  }
}

TEST(DepthwiseNorm, GradientIsThePassesInOneWithTheSameBitsForAnyThreads) {
  ThreadPool pool(1), three(3);
  for (const Case& c : cases()) {
    SCOPED_TRACE(describe(c.window, c.channels));
    const Step step(c);
    const std::vector<float> products = step.by_passes(pool).output;
    const Backward expected = step.gradients_by_passes(pool, products);
    const Backward found = step.gradients_by_bands(pool, products, true);
    expect_near(found.weight_gradient, expected.weight_gradient, 5e-6);
    expect_near(found.input_gradient, expected.input_gradient, 1e-6);
    expect_near(found.input_sums, expected.input_sums, 1e-6);

    const Backward again = step.gradients_by_bands(three, products, true);
    EXPECT_EQ(again.weight_gradient, found.weight_gradient);
    EXPECT_EQ(again.input_gradient, found.input_gradient);
    EXPECT_EQ(again.input_sums, found.input_sums);
    EXPECT_EQ(step.gradients_by_bands(pool, products, false).weight_gradient, found.weight_gradient);
  }
}

}  // namespace
}  // namespace linnet::kernels::test::depthwise_norm_test
