// Convolution, batch norm and activation as one operation: the same as one after the other.
#include <gtest/gtest.h>

#include "engine/finite_differences.h"
#include "error_message.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {
namespace {

using testing::random_tensor;

/// Running statistics and a counter.
struct Statistics {
  Tensor mean, variance, counter;
};

/// Parameters of convolutions with batch norms, one after the other.
class Network {
 public:
  Network(Shape input, std::vector<op::Conv2d> convolutions, Activation activation)
      : input_(random_tensor(input, 1), true), convolutions_(std::move(convolutions)), activation_(activation) {
    Index channels = input.back();
    unsigned seed = 10;
    for (const op::Conv2d& conv : convolutions_) {
      const Index outputs = conv.out_channels;
      parameters_.emplace_back(random_tensor({outputs, channels / conv.groups, conv.kernel, conv.kernel}, seed++),
                               true);
      parameters_.emplace_back(random_tensor({outputs}, seed++, 0.5f, 2.0f), true);
      parameters_.emplace_back(random_tensor({outputs}, seed++), true);
      statistics_.push_back({Tensor::zeros({outputs}), Tensor::full({outputs}, 1.0f), Tensor::zeros({})});
      channels = outputs;
    }
  }

  NormalisedMap as_one(std::size_t i, const NormalisedMap& x, ThreadPool& pool) {
    Statistics& s = statistics_[i];
    return conv_norm(x, parameter(i, 0), parameter(i, 1), parameter(i, 2), s.mean, s.variance, s.counter,
                     convolutions_[i], {}, activation_, pool);
  }
  Variable one_by_one(std::size_t i, const Variable& x, ThreadPool& pool) {
    Statistics& s = statistics_[i];
    const Variable products = conv2d(x, parameter(i, 0), {}, convolutions_[i], pool);
    return activate(batch_norm(products, parameter(i, 1), parameter(i, 2), s.mean, s.variance, s.counter, {},
                               Activation::none, true, pool),
                    activation_, pool);
  }

  const Variable& input() const { return input_; }
  std::size_t size() const { return convolutions_.size(); }

  /// Output, gradients of all leaves and statistics after both directions.
  std::vector<Tensor> results(const Variable& output, ThreadPool& pool) {
    std::vector<Tensor> all = {output.value()};
    backward(testing::weighted_sum(output, random_tensor(output.shape(), 5)), pool);
    all.push_back(input_.gradient());
    for (const Variable& parameter : parameters_) all.push_back(parameter.gradient());
    for (const Statistics& s : statistics_) all.insert(all.end(), {s.mean, s.variance, s.counter});
    return all;
  }

 private:
  const Variable& parameter(std::size_t i, std::size_t which) const { return parameters_[3 * i + which]; }

  Variable input_;
  std::vector<op::Conv2d> convolutions_;
  Activation activation_;
  std::vector<Variable> parameters_;
  std::vector<Statistics> statistics_;
};

double relative_difference(const Tensor& a, const Tensor& b) {
  double largest = 1e-30, difference = 0;
  for (Index i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(b.data()[i])));
    difference = std::max(difference, std::abs(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i])));
  }
  return difference / largest;
}

/// Small maps, where passes stay passes, and maps that are taken in pieces: 75 * 75 * (200 + 60) floats.
TEST(ConvNorm, IsItsPartsOneByOne) {
  const op::Conv2d expand{.out_channels = 200}, narrow{.out_channels = 60}, project{.out_channels = 7};
  const op::Conv2d depthwise{.out_channels = 200, .kernel = 3, .groups = 200, .padding = {Padding::Rule::symmetric, 1}};
  const op::Conv2d dense{.out_channels = 5, .kernel = 3, .stride = 2};
  ThreadPool pool(2);
  for (const Shape& input : {Shape{2, 5, 4, 20}, Shape{1, 75, 75, 20}}) {
    for (const std::vector<op::Conv2d>& convolutions :
         {std::vector{expand, narrow, project}, std::vector{expand, depthwise, narrow}, std::vector{expand, dense}}) {
      for (const Activation activation : {Activation::gelu, Activation::silu}) {
        SCOPED_TRACE(to_string(input) + ", " + std::to_string(convolutions[1].out_channels) + " channels, " +
                     std::string(to_string(activation)));
        Network a(input, convolutions, activation), b(input, convolutions, activation);
        NormalisedMap map = a.input();
        Variable x = b.input();
        for (std::size_t i = 0; i < a.size(); ++i) {
          map = a.as_one(i, map, pool);
          x = b.one_by_one(i, x, pool);
        }
        const std::vector<Tensor> found = a.results(map.value(pool), pool), expected = b.results(x, pool);
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          ASSERT_EQ(found[i].shape(), expected[i].shape());
          EXPECT_LT(relative_difference(found[i], expected[i]), 2e-4) << "result " << i;
        }
      }
    }
  }
}

/// A map that several operations read is normalised once, and their gradients add up.
TEST(ConvNorm, ManyMayReadWhatIsNormalised) {
  const op::Conv2d expand{.out_channels = 200}, narrow{.out_channels = 60};
  ThreadPool pool(2);
  Network a({1, 75, 75, 20}, {expand, narrow}, Activation::relu),
      b({1, 75, 75, 20}, {expand, narrow}, Activation::relu);
  NormalisedMap map = a.as_one(0, a.input(), pool);
  const Variable normalised = map.value(pool), x = b.one_by_one(0, b.input(), pool);
  NormalisedMap next = a.as_one(1, map, pool);
  const auto sum = [&](const Variable& wide, const Variable& thin) {
    return add(global_average_pool(conv2d(wide, Variable(random_tensor({60, 200, 1, 1}, 50)), {}, narrow, pool), pool),
               global_average_pool(thin, pool), pool);
  };
  const std::vector<Tensor> found = a.results(sum(normalised, next.value(pool)), pool);
  const std::vector<Tensor> expected = b.results(sum(x, b.one_by_one(1, x, pool)), pool);
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_LT(relative_difference(found[i], expected[i]), 2e-4) << "result " << i;
}

TEST(ConvNorm, RefusesWrongUse) {
  using test::message_of;
  ThreadPool pool(1);
  const op::Conv2d expand{.out_channels = 200}, narrow{.out_channels = 60};
  Network net({1, 75, 75, 20}, {expand, narrow}, Activation::relu);
  NormalisedMap map = net.as_one(0, net.input(), pool);
  net.as_one(1, map, pool);
  EXPECT_EQ(message_of([&] { map.value(pool); }),
            "conv_norm: its output was handed to another conv_norm and is read again");
  EXPECT_EQ(message_of([&] { net.as_one(1, map, pool); }),
            "conv_norm: its input was handed to another conv_norm before");

  Network with_bias({1, 2, 2, 3}, {{.out_channels = 4, .bias = true}}, Activation::relu);
  EXPECT_EQ(message_of([&] { with_bias.as_one(0, with_bias.input(), pool); }),
            "conv_norm: expected a convolution without activation, residual and bias");
  Network single({1, 1, 1, 3}, {{.out_channels = 4}}, Activation::relu);
  EXPECT_EQ(message_of([&] { single.as_one(0, single.input(), pool); }),
            "batch_norm: expected more than one value per channel in training, found input [1, 1, 1, 4]");
}

}  // namespace
}  // namespace linnet::autograd
