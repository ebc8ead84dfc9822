// Every operation against finite differences.
#include "linnet/autograd_ops.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/finite_differences.h"
#include "linnet/error.h"

namespace linnet::autograd {
namespace {

using testing::gradient_error;
using testing::random_tensor;
using testing::spread_tensor;
using Inputs = std::vector<Variable>;

constexpr double tolerance = 2e-4;  // float32 values, differences of fourth order

constexpr Activation activations[] = {Activation::none,       Activation::relu, Activation::relu6,
                                      Activation::hard_swish, Activation::silu, Activation::hard_sigmoid,
                                      Activation::sigmoid,    Activation::gelu};

// The check itself: a gradient that is one part in a hundred too large, or that belongs to the neighbour, must show.
TEST(AutogradOps, FiniteDifferencesFindWrongGradients) {
  ThreadPool pool(1);
  const auto identity = [](float factor, Index shift) {
    return [=](const Inputs& in) {
      return Variable::record("identity", in[0].value().clone(), {in[0]}, [=](const Tensor& g) {
        Tensor result(g.shape());
        for (Index i = 0; i < g.size(); ++i) result.data()[i] = factor * g.data()[(i + shift) % g.size()];
        return std::vector<Tensor>{result};
      });
    };
  };
  const std::vector<Tensor> inputs = {random_tensor({3, 5}, 1)};
  EXPECT_LT(gradient_error(inputs, identity(1.0f, 0), pool), 1e-5);
  EXPECT_GT(gradient_error(inputs, identity(1.01f, 0), pool), tolerance);
  EXPECT_GT(gradient_error(inputs, identity(1.0f, 1), pool), tolerance);
}

TEST(AutogradOps, Conv2d) {
  struct Case {
    Index batch, height, width, in;
    op::Conv2d op;
  };
  const Padding same{Padding::Rule::same, 0};
  const auto pad = [](Index amount) { return Padding{Padding::Rule::symmetric, amount}; };
  const std::vector<Case> cases = {
      // pointwise, also where a stride or padding forbids the fast way
      {2, 3, 5, 7, {.out_channels = 9}},
      {1, 1, 1, 17, {.out_channels = 33, .bias = true}},
      {2, 5, 4, 3, {.out_channels = 5, .stride = 2}},
      {1, 3, 4, 3, {.out_channels = 4, .padding = pad(1)}},
      // depthwise
      {2, 5, 7, 3, {.out_channels = 3, .kernel = 3, .groups = 3, .padding = pad(1)}},
      {1, 6, 9, 17, {.out_channels = 17, .kernel = 3, .stride = 2, .groups = 17, .padding = pad(1), .bias = true}},
      {2, 7, 6, 5, {.out_channels = 5, .kernel = 5, .stride = 2, .groups = 5, .padding = same}},
      {1, 7, 8, 4, {.out_channels = 4, .kernel = 5, .groups = 4, .padding = pad(2)}},
      {1, 8, 7, 3, {.out_channels = 3, .kernel = 7, .stride = 2, .groups = 3, .padding = pad(3)}},
      {1, 9, 8, 3, {.out_channels = 3, .kernel = 3, .dilation = 2, .groups = 3, .padding = pad(2)}},
      {2, 3, 3, 6, {.out_channels = 6, .kernel = 3, .groups = 6}},
      // grouped
      {2, 3, 4, 6, {.out_channels = 9, .groups = 3}},
      {1, 5, 4, 8, {.out_channels = 4, .kernel = 3, .stride = 2, .groups = 2, .padding = pad(1), .bias = true}},
      {1, 4, 5, 3, {.out_channels = 6, .kernel = 3, .groups = 3, .padding = same}},
      // dense
      {2, 6, 5, 3, {.out_channels = 4, .kernel = 3, .stride = 2, .padding = pad(1)}},
      {1, 7, 8, 2, {.out_channels = 5, .kernel = 3, .padding = same, .bias = true}},
      {1, 8, 7, 2, {.out_channels = 3, .kernel = 3, .dilation = 2, .padding = pad(1)}},
      {1, 9, 9, 1, {.out_channels = 4, .kernel = 7, .stride = 3, .padding = same}},
      {1, 5, 5, 3, {.out_channels = 2, .kernel = 2, .stride = 2}},
      // dense, both ways by Winograd: whole tiles, overhanging ones, no padding
      {1, 8, 8, 16, {.out_channels = 16, .kernel = 3, .padding = pad(1)}},
      {1, 7, 11, 17, {.out_channels = 19, .kernel = 3, .padding = pad(1), .bias = true}},
      {1, 10, 10, 16, {.out_channels = 17, .kernel = 3}},
  };
  ThreadPool pool(2);
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::Message() << "groups " << c.op.groups << " kernel " << c.op.kernel << " stride "
                                      << c.op.stride << " input " << to_string({c.batch, c.height, c.width, c.in}));
    std::vector<Tensor> inputs = {random_tensor({c.batch, c.height, c.width, c.in}, 1),
                                  random_tensor({c.op.out_channels, c.in / c.op.groups, c.op.kernel, c.op.kernel}, 2)};
    if (c.op.bias) inputs.push_back(random_tensor({c.op.out_channels}, 3));
    const auto function = [&](const Inputs& in) {
      return conv2d(in[0], in[1], c.op.bias ? in[2] : Variable(), c.op, pool);
    };
    EXPECT_LT(gradient_error(inputs, function, pool, 0.5), 2e-5);
  }
}

TEST(AutogradOps, ConvolutionsTakeActivationsThatTheirValuesTell) {
  ThreadPool pool(2);
  const Tensor x = random_tensor({2, 9, 8, 16}, 1), bias = random_tensor({17}, 3);
  const auto results = [&](op::Conv2d op, Index groups_inputs, Activation inside, Activation behind) {
    op.activation = inside;
    const Variable input(x, true), b(bias, true);
    const Variable weight(random_tensor({op.out_channels, groups_inputs, op.kernel, op.kernel}, 2), true);
    const Variable output = activate(conv2d(input, weight, op.bias ? b : Variable(), op, pool), behind, pool);
    backward(testing::weighted_sum(output, random_tensor(output.shape(), 4)), pool);
    return std::vector<Tensor>{output.value(), input.gradient(), weight.gradient(), b.gradient()};
  };
  for (const Activation activation : {Activation::none, Activation::relu, Activation::relu6}) {
    const auto expect_equal = [&](const op::Conv2d& op, Index group_inputs) {
      const auto inside = results(op, group_inputs, activation, Activation::none);
      const auto behind = results(op, group_inputs, Activation::none, activation);
      for (std::size_t i = 0; i < inside.size(); ++i) {
        ASSERT_EQ(inside[i].size(), behind[i].size());
        EXPECT_TRUE(std::equal(inside[i].data(), inside[i].data() + inside[i].size(), behind[i].data())) << i;
      }
    };
    expect_equal({.out_channels = 17, .bias = true}, 16);
    expect_equal({.out_channels = 17, .kernel = 3, .padding = {.amount = 1}, .bias = true}, 16);
    expect_equal({.out_channels = 16, .kernel = 3, .groups = 16, .padding = {.amount = 1}}, 1);
    expect_equal({.out_channels = 4, .kernel = 3, .groups = 2}, 8);
  }
}

TEST(AutogradOps, GradientsThatNobodyNeedsAreNotComputed) {
  ThreadPool pool(1);
  const Variable x(random_tensor({1, 4, 4, 3}, 1)), weight(random_tensor({2, 3, 3, 3}, 2), true);
  const Variable y = conv2d(x, weight, {}, {.out_channels = 2, .kernel = 3}, pool);
  backward(testing::weighted_sum(y, random_tensor(y.shape(), 3)), pool);
  EXPECT_TRUE(x.gradient().empty());
  EXPECT_FALSE(weight.gradient().empty());

  const Variable constant = conv2d(x, Variable(weight.value()), {}, {.out_channels = 2, .kernel = 3}, pool);
  EXPECT_FALSE(constant.requires_gradient());
}

TEST(AutogradOps, Linear) {
  ThreadPool pool(2);
  for (const auto& [rows, in, out] : {std::array<Index, 3>{1, 5, 3}, {4, 17, 9}, {7, 33, 10}}) {
    SCOPED_TRACE(to_string({rows, in, out}));
    const std::vector<Tensor> inputs = {random_tensor({rows, in}, 1), random_tensor({out, in}, 2),
                                        random_tensor({out}, 3)};
    EXPECT_LT(gradient_error(
                  inputs, [&](const Inputs& v) { return linear(v[0], v[1], v[2], pool); }, pool, 0.5),
              2e-5);
    EXPECT_LT(gradient_error(
                  {inputs[0], inputs[1]}, [&](const Inputs& v) { return linear(v[0], v[1], {}, pool); }, pool, 0.5),
              2e-5);
  }
}

TEST(AutogradOps, Activations) {
  ThreadPool pool(2);
  // Multiples of 0.2, half a gap off: 0.1 away from the kinks at -3, 0, 3 and 6.
  const Tensor x = spread_tensor({2, 5, 3, 3}, 4, 0.2f);
  for (const Activation activation : activations) {
    SCOPED_TRACE(to_string(activation));
    const auto function = [&](const Inputs& in) { return activate(in[0], activation, pool); };
    EXPECT_LT(gradient_error({x}, function, pool), tolerance);
  }
}

TEST(AutogradOps, BatchNorm) {
  ThreadPool pool(2);
  for (const bool training : {true, false})
    for (const Shape& shape : {Shape{2, 3, 5, 4}, Shape{3, 1, 1, 17}, Shape{9, 6}}) {
      const Index channels = shape.back();
      SCOPED_TRACE(to_string(shape) + (training ? " training" : " evaluation"));
      const Tensor mean = random_tensor({channels}, 5), variance = random_tensor({channels}, 6, 0.5f, 2.0f);
      const auto function = [&](const Inputs& in) {
        Tensor running_mean = mean.clone(), running_var = variance.clone(), counter = Tensor::zeros({});
        return batch_norm(in[0], in[1], in[2], running_mean, running_var, counter, {}, Activation::none, training,
                          pool);
      };
      const std::vector<Tensor> inputs = {random_tensor(shape, 1, -2, 2), random_tensor({channels}, 2, 0.5f, 1.5f),
                                          random_tensor({channels}, 3)};
      EXPECT_LT(gradient_error(inputs, function, pool), tolerance);
    }
}

// Fused with an activation: the same as one after the other.
TEST(AutogradOps, BatchNormWithActivation) {
  ThreadPool pool(2);
  const Shape shape = {3, 7, 5, 19};
  for (const Activation activation : activations)
    for (const bool training : {true, false}) {
      SCOPED_TRACE(std::string(to_string(activation)) + (training ? " training" : " evaluation"));
      std::vector<Tensor> results[2];
      for (const bool fused : {false, true}) {
        const Inputs in = {Variable(random_tensor(shape, 1, -4, 4), true),
                           Variable(random_tensor({19}, 2, 0.5f, 3.0f), true),
                           Variable(random_tensor({19}, 3, -1, 3), true)};
        Tensor mean = random_tensor({19}, 4), variance = random_tensor({19}, 5, 0.5f, 2.0f);
        Tensor counter = Tensor::zeros({});
        Variable y = batch_norm(in[0], in[1], in[2], mean, variance, counter, {}, fused ? activation : Activation::none,
                                training, pool);
        if (!fused) y = activate(y, activation, pool);
        backward(testing::weighted_sum(y, random_tensor(shape, 6)), pool);
        results[fused] = {y.value(), in[0].gradient(), in[1].gradient(), in[2].gradient(), mean, variance, counter};
      }
      for (std::size_t k = 0; k < results[0].size(); ++k) {
        double largest = 0, difference = 0;
        for (Index i = 0; i < results[0][k].size(); ++i) {
          const double a = static_cast<double>(results[0][k].data()[i]),
                       b = static_cast<double>(results[1][k].data()[i]);
          largest = std::max(largest, std::abs(a));
          difference = std::max(difference, std::abs(a - b));
        }
        EXPECT_LE(difference, 1e-5 * largest) << "result " << k;
      }
    }
}

TEST(AutogradOps, SumsAndScales) {
  ThreadPool pool(2);
  const std::vector<Tensor> two = {random_tensor({2, 3, 4, 5}, 1), random_tensor({2, 3, 4, 5}, 2)};
  EXPECT_LT(gradient_error(
                two, [&](const Inputs& v) { return add(v[0], v[1], pool); }, pool, 0.5),
            2e-5);
  EXPECT_LT(gradient_error(
                {two[0]}, [&](const Inputs& v) { return add(v[0], v[0], pool); }, pool, 0.5),
            2e-5);
  const std::vector<Tensor> gated = {random_tensor({2, 3, 4, 21}, 1), random_tensor({2, 1, 1, 21}, 2)};
  EXPECT_LT(gradient_error(
                gated, [&](const Inputs& v) { return scale_channels(v[0], v[1], pool); }, pool, 0.5),
            2e-5);
}

TEST(AutogradOps, Pools) {
  ThreadPool pool(2);
  const Tensor x = spread_tensor({2, 6, 7, 5}, 3, 0.2f);
  EXPECT_LT(gradient_error(
                {x}, [&](const Inputs& v) { return global_average_pool(v[0], pool); }, pool, 0.5),
            2e-5);
  const Padding none, one{Padding::Rule::symmetric, 1}, same{Padding::Rule::same, 0};
  for (const Padding& padding : {none, one, same})
    for (const Index kernel : {2, 3})
      for (const Index stride : {1, 2})
        for (const bool flag : {false, true}) {
          if (padding == one && kernel == 2) continue;  // more padding than half a window is refused
          SCOPED_TRACE(::testing::Message() << "kernel " << kernel << " stride " << stride << " flag " << flag);
          const op::MaxPool max{kernel, stride, padding, flag};
          const op::AveragePool average{kernel, stride, padding, flag, !flag},
              counted{kernel, stride, padding, flag, flag};
          EXPECT_LT(gradient_error(
                        {x}, [&](const Inputs& v) { return max_pool(v[0], max, pool); }, pool),
                    tolerance);
          EXPECT_LT(gradient_error(
                        {x}, [&](const Inputs& v) { return average_pool(v[0], average, pool); }, pool),
                    1e-4);
          EXPECT_LT(gradient_error(
                        {x}, [&](const Inputs& v) { return average_pool(v[0], counted, pool); }, pool),
                    1e-4);
        }
}

TEST(AutogradOps, ChannelsMove) {
  ThreadPool pool(2);
  const Tensor x = random_tensor({2, 3, 2, 12}, 1), y = random_tensor({2, 3, 2, 5}, 2);
  for (const Index groups : {1, 2, 3, 4})
    EXPECT_LT(gradient_error(
                  {x}, [&](const Inputs& v) { return channel_shuffle(v[0], groups, pool); }, pool, 0.5),
              2e-5);
  EXPECT_LT(gradient_error(
                {x, y},
                [&](const Inputs& v) {
                  return concat({v[0], v[1], v[0]}, pool);
                },
                pool, 0.5),
            2e-5);
  EXPECT_LT(gradient_error(
                {x}, [&](const Inputs& v) { return slice_channels(v[0], 3, 8, pool); }, pool, 0.5),
            2e-5);
  EXPECT_LT(gradient_error(
                {x}, [&](const Inputs& v) { return flatten(v[0]); }, pool, 0.5),
            2e-5);
  const Variable constant(x);
  EXPECT_LT(gradient_error(
                {y},
                [&](const Inputs& v) {
                  return concat({constant, v[0]}, pool);
                },
                pool, 0.5),
            2e-5);
}

TEST(AutogradOps, Softmax) {
  ThreadPool pool(2);
  const Tensor x = random_tensor({5, 11}, 1, -3, 3);
  EXPECT_LT(gradient_error(
                {x}, [&](const Inputs& v) { return softmax(v[0], pool); }, pool),
            tolerance);
}

TEST(AutogradOps, DropoutDependsOnSeedStreamAndPosition) {
  ThreadPool pool(1), two(2);
  const Tensor x = Tensor::full({10, 100, 10, 10}, 1);
  const auto kept = [&](const Tensor& tensor) {
    double sum = 0;
    for (Index i = 0; i < tensor.size(); ++i) sum += tensor.data()[i] != 0;
    return sum / static_cast<double>(tensor.size());
  };
  const auto equal = [](const Tensor& a, const Tensor& b) {
    return std::equal(a.data(), a.data() + a.size(), b.data());
  };
  const Tensor y = dropout(Variable(x), 0.3f, 1, 2, pool).value();
  EXPECT_NEAR(kept(y), 0.7, 0.01);
  for (Index i = 0; i < y.size(); ++i) ASSERT_TRUE(y.data()[i] == 0 || y.data()[i] == 1.0f / 0.7f);
  EXPECT_TRUE(equal(y, dropout(Variable(x), 0.3f, 1, 2, two).value()));
  EXPECT_FALSE(equal(y, dropout(Variable(x), 0.3f, 2, 2, pool).value()));
  EXPECT_FALSE(equal(y, dropout(Variable(x), 0.3f, 1, 3, pool).value()));

  const Tensor z = drop_path(Variable(Tensor::full({200, 3, 3, 2}, 1)), 0.5f, 1, 2, two).value();
  EXPECT_NEAR(kept(z), 0.5, 0.12);
  for (Index i = 0; i < z.size(); ++i) ASSERT_EQ(z.data()[i], z.data()[i / 18 * 18]);

  const std::vector<Tensor> inputs = {random_tensor({7, 2, 3, 5}, 3)};
  EXPECT_LT(gradient_error(
                inputs, [&](const Inputs& v) { return dropout(v[0], 0.4f, 1, 2, two); }, pool, 0.5),
            2e-5);
  EXPECT_LT(gradient_error(
                inputs, [&](const Inputs& v) { return drop_path(v[0], 0.4f, 1, 2, two); }, pool, 0.5),
            2e-5);
  EXPECT_EQ(dropout(Variable(x), 0, 1, 2, pool).value().data(), x.data());
  EXPECT_THROW(dropout(Variable(x), 1, 1, 2, pool), Error);
}

// A block with two ways through it and a value used three times.
TEST(AutogradOps, ChainsAndDiamonds) {
  ThreadPool pool(2);
  const std::vector<Tensor> inputs = {random_tensor({2, 4, 5, 3}, 1), random_tensor({6, 3, 1, 1}, 2),
                                      random_tensor({6, 1, 3, 3}, 3), random_tensor({3, 6, 1, 1}, 4),
                                      random_tensor({3, 3}, 5)};
  const auto block = [&](const Inputs& in) {
    const Variable& x = in[0];
    const Variable expanded = activate(conv2d(x, in[1], {}, {.out_channels = 6}, pool), Activation::silu, pool);
    const Variable mixed = activate(
        conv2d(expanded, in[2], {}, {.out_channels = 6, .kernel = 3, .groups = 6, .padding = {.amount = 1}}, pool),
        Activation::sigmoid, pool);
    const Variable gate = activate(global_average_pool(mixed, pool), Activation::sigmoid, pool);
    const Variable projected = conv2d(scale_channels(mixed, gate, pool), in[3], {}, {.out_channels = 3}, pool);
    const Variable sum = add(add(projected, x, pool), x, pool);
    return linear(flatten(global_average_pool(sum, pool)), in[4], {}, pool);
  };
  EXPECT_LT(gradient_error(inputs, block, pool), tolerance);
}

TEST(AutogradOps, MistakesAreNamed) {
  ThreadPool pool(1);
  const auto expect_words = [](auto&& function, std::initializer_list<const char*> words) {
    try {
      function();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      for (const char* word : words)
        EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what() << " lacks " << word;
    }
  };
  const Variable x(Tensor::zeros({2, 4, 4, 3}));
  const auto var = [](Shape shape) { return Variable(Tensor::zeros(std::move(shape))); };
  expect_words(
      [&] {
        conv2d(x, var({5, 2, 1, 1}), {}, {.out_channels = 5}, pool);
      },
      {"conv2d", "[5, 3, 1, 1]", "[5, 2, 1, 1]"});
  expect_words([&] { conv2d(x, var({5, 3, 1, 1}), var({4}), {.out_channels = 5}, pool); }, {"conv2d", "[5]", "[4]"});
  expect_words([&] { conv2d(var({2, 3}), var({5, 3, 1, 1}), {}, {.out_channels = 5}, pool); }, {"conv2d", "[3]"});
  expect_words([&] { conv2d(x, var({5, 3, 1, 1}), {}, {.out_channels = 5, .residual = true}, pool); }, {"residual"});
  expect_words([&] { linear(var({2, 7}), var({5, 8}), {}, pool); }, {"linear", "[5, 7]", "[5, 8]"});
  expect_words([&] { add(x, var({2, 4, 3, 3}), pool); }, {"add", "[2, 4, 4, 3]", "[2, 4, 3, 3]"});
  expect_words([&] { scale_channels(x, var({2, 1, 1, 4}), pool); }, {"scale_channels", "[1, 1, 3]", "[1, 1, 4]"});
  expect_words([&] { scale_channels(x, var({1, 1, 1, 3}), pool); }, {"scale_channels", "[1, 1, 1, 3]"});
  expect_words([&] { concat({x, var({2, 4, 5, 3})}, pool); }, {"concat", "[4, 5, 3]"});
  expect_words([&] { slice_channels(x, 2, 4, pool); }, {"slice_channels", "[4, 4, 3]"});
  expect_words([&] { channel_shuffle(x, 2, pool); }, {"channel_shuffle", "2 groups"});
  Tensor three = Tensor::zeros({3}), two = Tensor::zeros({2}), counter = Tensor::zeros({});
  expect_words([&] { batch_norm(x, var({3}), var({3}), three, two, counter, {}, Activation::none, true, pool); },
               {"batch_norm", "running variance", "[3]", "[2]"});
  expect_words(
      [&] {
        batch_norm(var({1, 1, 1, 3}), var({3}), var({3}), three, three, counter, {}, Activation::none, true, pool);
      },
      {"batch_norm", "more than one value per channel", "[1, 1, 1, 3]"});
  EXPECT_EQ(*counter.data(), 0);
}

}  // namespace
}  // namespace linnet::autograd
