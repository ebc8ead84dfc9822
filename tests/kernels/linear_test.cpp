#include "kernels/linear/linear.h"

#include <string>

#include "kernel_test.h"
#include "kernels/common/scalar_activation.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels::test::linear_test {
namespace {

struct Shape {
  Index rows, in, out;
};

std::string describe(const Shape& shape) {
  return std::to_string(shape.rows) + " x " + std::to_string(shape.in) + " -> " + std::to_string(shape.out);
}

/// a[m][k] * b[k][n] through strides, in double.
std::vector<float> product(Index m, Index n, Index k, const float* a, Index a_row, Index a_column, const float* b,
                           Index b_row, Index b_column) {
  std::vector<float> result;
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      double sum = 0;
      for (Index l = 0; l < k; ++l) sum += double{a[i * a_row + l * a_column]} * b[l * b_row + j * b_column];
      result.push_back(static_cast<float>(sum));
    }
  }
  return result;
}

/// A forward problem, and what it should give.
struct Forward {
  Forward(const Shape& shape, Activation activation, bool with_bias, Index offset)
      : input(random_floats(shape.rows * shape.in, 1), offset),
        weights(random_floats(shape.in * shape.out, 2), offset + 1),
        bias(random_floats(shape.out, 3), offset + 2),
        output(shape.rows * shape.out, offset + 3),
        expected(product(shape.rows, shape.out, shape.in, input.data(), shape.in, 1, weights.data(), 1, shape.in)) {
    for (Index i = 0; i < output.size(); ++i) {
      float& value = expected[static_cast<std::size_t>(i)];
      value = scalar::activate(activation, with_bias ? value + bias.data()[i % shape.out] : value);
    }
    args = {shape.rows, shape.in,     shape.out, input.data(), weights.data(), with_bias ? bias.data() : nullptr,
            activation, output.data()};
  }
  testing::AssertionResult correct() const { return near(output, Guarded(expected), 3e-5, 2e-5); }

  Guarded input, weights, bias, output;
  std::vector<float> expected;
  LinearArgs args;
};

using Linear = VariantTest<LinearKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, Linear, every(linear_variants()), variant_name<LinearKernels>);

TEST_P(Linear, MatchesDoubleLoops) {
  unsigned count = 0;
  for (Index rows : {1, 2, 3, 4, 5, 9}) {
    for (Index in : {1, 3, 4, 7, 8, 15, 16, 33, 64, 130}) {
      for (Index out : {1, 2, 3, 4, 5, 7, 10, 25}) {
        const Shape shape{rows, in, out};
        SCOPED_TRACE(describe(shape));
        const auto activation = static_cast<Activation>(count % 8);
        Forward forward(shape, activation, count % 2 == 0, count % 3);
        ++count;
        kernels().run(forward.args, {0, out / 3});
        kernels().run(forward.args, {out / 3, out});
        ASSERT_TRUE(forward.correct());
      }
    }
  }
}

TEST_P(Linear, ARowIsTheSameInAnyBatch) {
  Forward forward({9, 77, 13}, Activation::none, true, 0);
  kernels().run(forward.args, {0, 13});
  for (Index row = 0; row < 9; ++row) {
    std::vector<float> output(13);
    LinearArgs args = forward.args;
    args.rows = 1;
    args.input += row * 77;
    args.output = output.data();
    for (Index o = 0; o < 13; ++o) kernels().run(args, {o, o + 1});
    EXPECT_TRUE(identical(output, std::span(forward.output.data() + row * 13, 13)));
  }
}

TEST_P(Linear, ColumnSums) {
  for (Index columns : {1, 3, 4, 8, 15, 16, 17, 31, 40, 100}) {
    const Index rows = 37, stride = columns + 3;
    const Guarded values(random_floats(rows * stride, 1), 1);
    for (const Range part : {Range{0, columns}, Range{columns / 3, columns}}) {
      Guarded sums(columns, 1), expected(columns);
      for (Index c = part.begin; c < part.end; ++c) {
        double sum = 0;
        for (Index r = 5; r < rows; ++r) sum += values.data()[r * stride + c];
        expected.data()[c] = static_cast<float>(sum);
      }
      kernels().column_sums(values.data(), stride, {5, rows}, part, sums.data());
      EXPECT_TRUE(near(sums, expected, 1e-5)) << columns << " columns";
    }
  }
}

TEST(LinearDriver, SameBitsForAnyNumberOfThreads) {
  for (const Shape& shape : {Shape{1, 1280, 1000}, {3, 576, 1024}, {64, 320, 100}, {0, 4, 4}}) {
    SCOPED_TRACE(describe(shape));
    const std::vector<float> gradient = random_floats(shape.rows * shape.out, 7);
    std::vector<float> first_output, first_input_gradient, first_weight_gradient, first_bias_gradient;
    for (int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      Forward forward(shape, Activation::hard_swish, true, 0);
      linear(pool, forward.args);
      EXPECT_TRUE(forward.correct());
      Guarded input_gradient(shape.rows * shape.in), weight_gradient(shape.out * shape.in), bias_sums(shape.out);
      linear_input_gradient(pool, shape.rows, shape.in, shape.out, gradient.data(), forward.weights.data(),
                            input_gradient.data());
      linear_weight_gradient(pool, shape.rows, shape.in, shape.out, forward.input.data(), gradient.data(),
                             weight_gradient.data());
      bias_gradient(pool, shape.rows, shape.out, gradient.data(), bias_sums.data());
      if (threads == 1) {
        first_output = forward.output.values();
        first_input_gradient = input_gradient.values();
        first_weight_gradient = weight_gradient.values();
        first_bias_gradient = bias_sums.values();
        const std::vector<float> ones(static_cast<std::size_t>(shape.rows), 1.0f);
        EXPECT_TRUE(near(input_gradient,
                         Guarded(product(shape.rows, shape.in, shape.out, gradient.data(), shape.out, 1,
                                         forward.weights.data(), shape.in, 1)),
                         1e-4));
        EXPECT_TRUE(near(weight_gradient,
                         Guarded(product(shape.out, shape.in, shape.rows, gradient.data(), 1, shape.out,
                                         forward.input.data(), shape.in, 1)),
                         1e-4));
        EXPECT_TRUE(near(bias_sums,
                         Guarded(product(1, shape.out, shape.rows, ones.data(), 0, 1, gradient.data(), shape.out, 1)),
                         1e-4));
      }
      EXPECT_TRUE(identical(forward.output.values(), first_output));
      EXPECT_TRUE(identical(input_gradient.values(), first_input_gradient));
      EXPECT_TRUE(identical(weight_gradient.values(), first_weight_gradient));
      EXPECT_TRUE(identical(bias_sums.values(), first_bias_gradient));
    }
  }
}

TEST(LinearDriver, BiasGradientOfManyRows) {
  ThreadPool one(1), three(3);
  const Index rows = 300000, channels = 17;
  const std::vector<float> gradient = random_floats(rows * channels, 1);
  std::vector<double> sums(channels);
  for (std::size_t i = 0; i < gradient.size(); ++i) sums[i % channels] += gradient[i];
  std::vector<float> a(channels), b(channels);
  bias_gradient(one, rows, channels, gradient.data(), a.data());
  bias_gradient(three, rows, channels, gradient.data(), b.data());
  EXPECT_TRUE(near(a, std::vector<float>(sums.begin(), sums.end()), 2e-2));
  EXPECT_TRUE(identical(a, b));
}

}  // namespace
}  // namespace linnet::kernels::test::linear_test
