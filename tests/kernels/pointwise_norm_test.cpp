// Forward and backward by pieces against the passes that they stand for, one after the other.
#include "kernels/pointwise_norm/pointwise_norm.h"

#include "kernel_test.h"
#include "kernels/pointwise/pointwise.h"
#include "linnet/thread_pool.h"
#include "norm_layer.h"

namespace linnet::kernels::test::pointwise_norm_test {
namespace {

std::size_t position(Index i) { return static_cast<std::size_t>(i); }

std::vector<float> packed(const std::vector<float>& weights, Index in_channels, Index out_channels, bool transposed) {
  const Index inputs = transposed ? out_channels : in_channels, outputs = transposed ? in_channels : out_channels;
  std::vector<float> result(pointwise_packed_size(inputs, outputs) + 16);
  pointwise_pack(weights.data(), transposed ? 1 : in_channels, transposed ? in_channels : 1, inputs, outputs,
                 result.data());
  return result;
}

void multiply(ThreadPool& pool, Index rows, Index inputs, Index outputs, const float* input, const float* weights,
              float* output) {
  pointwise(pool, {.rows = rows,
                   .in_channels = inputs,
                   .out_channels = outputs,
                   .input = input,
                   .input_stride = inputs,
                   .weights = weights,
                   .output = output,
                   .output_stride = outputs,
                   .epilogue = {}});
}

struct Case {
  Index rows, in_channels, out_channels;
  Activation input, output;
  bool has_input_norm;
};

/// Less and more than a piece, more pieces than sums of weight gradients, channels of every remainder.
constexpr Case cases[] = {
    {2, 3, 5, Activation::relu6, Activation::none, true},
    {100, 24, 17, Activation::relu, Activation::relu6, false},
    {997, 40, 33, Activation::hard_swish, Activation::relu, true},
    {2500, 16, 96, Activation::none, Activation::silu, true},
    {23000, 5, 9, Activation::relu6, Activation::relu6, true},
};

struct Forward {
  std::vector<float> output, mean, variance, inverse_std;
};
struct Backward {
  std::vector<float> weight_gradient, input_gradient;
  std::vector<double> input_sums;
};

class Step {
 public:
  explicit Step(const Case& c)
      : c_(c),
        input_(random_floats(c.rows * c.in_channels, 1, -3.0f, 5.0f)),
        weights_(random_floats(c.in_channels * c.out_channels, 2)),
        output_gradient_(random_floats(c.rows * c.out_channels, 3)),
        input_layer_(c.in_channels, 10, c.input),
        output_layer_(c.out_channels, 20, c.output) {}

  Forward by_pieces(ThreadPool& pool) const {
    const Norm norm = input_layer_.norm();
    const std::vector<float> weights = packed(weights_, c_.in_channels, c_.out_channels, false);
    Forward result = room();
    pointwise_norm(pool, {.rows = c_.rows,
                          .in_channels = c_.in_channels,
                          .out_channels = c_.out_channels,
                          .input = input_.data(),
                          .input_norm = c_.has_input_norm ? &norm : nullptr,
                          .weights = weights.data(),
                          .output = result.output.data(),
                          .mean = result.mean.data(),
                          .variance = result.variance.data(),
                          .inverse_std = result.inverse_std.data()});
    return result;
  }

  Forward by_passes(ThreadPool& pool) const {
    Forward result = room();
    multiply(pool, c_.rows, c_.in_channels, c_.out_channels, normalised_input(pool).data(),
             packed(weights_, c_.in_channels, c_.out_channels, false).data(), result.output.data());
    batch_norm_statistics(pool, {.rows = c_.rows,
                                 .channels = c_.out_channels,
                                 .input = result.output.data(),
                                 .mean = result.mean.data(),
                                 .variance = result.variance.data(),
                                 .inverse_std = result.inverse_std.data()});
    return result;
  }

  Backward gradients_by_pieces(ThreadPool& pool, const std::vector<float>& products, bool wants_input) const {
    const Norm norm = input_layer_.norm();
    const std::vector<float> weights = packed(weights_, c_.in_channels, c_.out_channels, true);
    const std::vector<double> sums = output_sums(pool, products);
    Backward result = gradient_room();
    const bool wants_sums = wants_input && c_.has_input_norm;
    pointwise_norm_gradient(pool, {.rows = c_.rows,
                                   .in_channels = c_.in_channels,
                                   .out_channels = c_.out_channels,
                                   .input = input_.data(),
                                   .input_norm = c_.has_input_norm ? &norm : nullptr,
                                   .output = products.data(),
                                   .output_norm = output_layer_.norm(),
                                   .output_gradient = output_gradient_.data(),
                                   .output_sums = sums.data(),
                                   .weights = wants_input ? weights.data() : nullptr,
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
    pointwise_weight_gradient(pool, {.rows = c_.rows,
                                     .in_channels = c_.in_channels,
                                     .out_channels = c_.out_channels,
                                     .input = input.data(),
                                     .input_stride = c_.in_channels,
                                     .output_gradient = product_gradient.data(),
                                     .output_gradient_stride = c_.out_channels,
                                     .weight_gradient = result.weight_gradient.data()});
    multiply(pool, c_.rows, c_.out_channels, c_.in_channels, product_gradient.data(),
             packed(weights_, c_.in_channels, c_.out_channels, true).data(), result.input_gradient.data());
    if (c_.has_input_norm) {
      batch_norm_gradient_sums(pool,
                               {.rows = c_.rows,
                                .channels = c_.in_channels,
                                .input = input_.data(),
                                .output_gradient = result.input_gradient.data(),
                                .norm = input_layer_.norm()},
                               result.input_sums.data());
    }
    return result;
  }

 private:
  Forward room() const {
    const auto channels = position(c_.out_channels);
    return {std::vector<float>(position(c_.rows) * channels, NAN), std::vector<float>(channels, NAN),
            std::vector<float>(channels, NAN), std::vector<float>(channels, NAN)};
  }
  Backward gradient_room() const {
    return {std::vector<float>(weights_.size(), NAN), std::vector<float>(input_.size(), NAN),
            std::vector<double>(c_.has_input_norm ? position(2 * c_.in_channels) : 0, NAN)};
  }
  std::vector<float> normalised_input(ThreadPool& pool) const {
    if (!c_.has_input_norm) return input_;
    std::vector<float> result(input_.size());
    normalise(pool, c_.rows, c_.in_channels, input_layer_.norm(), input_.data(), result.data());
    return result;
  }
  BatchNormGradientArgs output_args(const std::vector<float>& products) const {
    return {.rows = c_.rows,
            .channels = c_.out_channels,
            .input = products.data(),
            .output_gradient = output_gradient_.data(),
            .norm = output_layer_.norm()};
  }
  std::vector<double> output_sums(ThreadPool& pool, const std::vector<float>& products) const {
    std::vector<double> sums(position(2 * c_.out_channels));
    batch_norm_gradient_sums(pool, output_args(products), sums.data());
    return sums;
  }

  Case c_;
  std::vector<float> input_, weights_, output_gradient_;
  NormLayer input_layer_, output_layer_;
};

TEST(PointwiseNorm, IsThePassesInOneWithTheSameBitsForAnyThreads) {
  ThreadPool pool(1), three(3);
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::Message() << c.rows << " rows from " << c.in_channels << " to " << c.out_channels);
    const Step step(c);
    const Forward expected = step.by_passes(pool), found = step.by_pieces(pool), again = step.by_pieces(three);
    EXPECT_EQ(found.output, expected.output);
    expect_near(found.mean, expected.mean, 1e-6);
    expect_near(found.variance, expected.variance, 1e-6);
    expect_near(found.inverse_std, expected.inverse_std, 1e-6);
    for (const auto part : {&Forward::output, &Forward::mean, &Forward::variance, &Forward::inverse_std}) {
      EXPECT_EQ(again.*part, found.*part);
    }
  }
}

TEST(PointwiseNorm, GradientIsThePassesInOneWithTheSameBitsForAnyThreads) {
  ThreadPool pool(1), three(3);
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::Message() << c.rows << " rows from " << c.in_channels << " to " << c.out_channels);
    const Step step(c);
    const std::vector<float> products = step.by_passes(pool).output;
    const Backward expected = step.gradients_by_passes(pool, products);
    const Backward found = step.gradients_by_pieces(pool, products, true);
    expect_near(found.weight_gradient, expected.weight_gradient, 3e-6);
    EXPECT_EQ(found.input_gradient, expected.input_gradient);
    expect_near(found.input_sums, expected.input_sums, 1e-6);

    const Backward again = step.gradients_by_pieces(three, products, true);
    EXPECT_EQ(again.weight_gradient, found.weight_gradient);
    EXPECT_EQ(again.input_gradient, found.input_gradient);
    EXPECT_EQ(again.input_sums, found.input_sums);
    EXPECT_EQ(step.gradients_by_pieces(pool, products, false).weight_gradient, found.weight_gradient);
  }
}

}  // namespace
}  // namespace linnet::kernels::test::pointwise_norm_test
