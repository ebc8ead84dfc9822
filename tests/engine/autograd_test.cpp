// The tape itself, on operations made up for the purpose.
#include "linnet/autograd.h"

#include <gtest/gtest.h>

#include "error_message.h"
#include "linnet/error.h"

namespace linnet::autograd {
namespace {

using test::message_of;

Variable leaf(float value) { return Variable(Tensor::full({}, value), true); }
float value_of(const Tensor& tensor) { return *tensor.data(); }

Variable multiply(const Variable& a, const Variable& b) {
  return Variable::record("multiply", Tensor::full({}, value_of(a.value()) * value_of(b.value())), {a, b},
                          [a = value_of(a.value()), b = value_of(b.value())](const Tensor& gradient) {
                            const float g = value_of(gradient);
                            return std::vector<Tensor>{Tensor::full({}, g * b), Tensor::full({}, g * a)};
                          });
}

// Hands the same tensor to both inputs, as an addition may.
Variable add(const Variable& a, const Variable& b) {
  return Variable::record("add", Tensor::full({}, value_of(a.value()) + value_of(b.value())), {a, b},
                          [](const Tensor& gradient) {
                            return std::vector<Tensor>{gradient, gradient};
                          });
}

TEST(Autograd, AddsUpTheUsesOfAValue) {
  ThreadPool pool(1);
  const Variable x = leaf(3);
  const Variable square = multiply(x, x);
  const Variable loss = add(multiply(square, x), add(square, x));  // x^3 + x^2 + x
  backward(loss, pool);
  EXPECT_EQ(value_of(loss.value()), 39);
  EXPECT_EQ(value_of(x.gradient()), 34);
  EXPECT_TRUE(square.gradient().empty()) << "kept for leaves only";
}

TEST(Autograd, LeavesAddUpAndOwnTheirGradients) {
  ThreadPool pool(1);
  Variable a = leaf(1), b = leaf(2);
  backward(add(a, b), pool);
  a.gradient().data()[0] = 100;
  EXPECT_EQ(value_of(b.gradient()), 1) << "a and b share one gradient tensor";
  const Tensor seen = b.gradient();
  backward(multiply(a, b), pool);
  EXPECT_EQ(value_of(a.gradient()), 102);
  EXPECT_EQ(value_of(b.gradient()), 2);
  EXPECT_EQ(value_of(seen), 1) << "changed behind the back of its holder";
  a.clear_gradient();
  EXPECT_TRUE(a.gradient().empty());
}

TEST(Autograd, GoesOnlyWhereGradientsAreNeeded) {
  ThreadPool pool(1);
  const Variable x = leaf(2), constant(Tensor::full({}, 5));
  const Variable branch = Variable::record("never", Tensor::full({}, 1), {constant}, [](const Tensor&) {
    ADD_FAILURE();
    return std::vector<Tensor>{};
  });
  EXPECT_FALSE(branch.requires_gradient());
  const Variable cut = Variable::record("cut", Tensor::full({}, 1), {x}, [](const Tensor&) {
    return std::vector<Tensor>(1);  // "zero"
  });
  const Variable absent;
  const Variable loss = Variable::record("sum", Tensor::full({}, 8), {x, branch, cut, absent}, [](const Tensor& g) {
    return std::vector<Tensor>{g, g, g, Tensor()};
  });
  backward(loss, pool);
  EXPECT_EQ(value_of(x.gradient()), 1);
  EXPECT_TRUE(constant.gradient().empty());
}

TEST(Autograd, ALongTapeNeedsNoStack) {
  ThreadPool pool(1);
  constexpr int length = 100000;
  const Variable x = leaf(1);
  Variable y = x;
  for (int i = 0; i < length; ++i)
    y = Variable::record("step", Tensor::full({}, 1), {y}, [](const Tensor& g) { return std::vector<Tensor>{g}; });
  backward(y, pool);
  EXPECT_EQ(value_of(x.gradient()), 1);

  Variable forgotten = x;
  for (int i = 0; i < length; ++i)
    forgotten = Variable::record("step", Tensor::full({}, 1), {forgotten, forgotten}, [](const Tensor& g) {
      return std::vector<Tensor>{g, g};
    });
}  // destroys the second tape, which nobody passed

TEST(Autograd, FreesAsItGoes) {
  ThreadPool pool(1);
  const Variable x = leaf(1);
  const auto saved = std::make_shared<int>(0);
  std::weak_ptr<int> watch;
  bool first_ran = false;
  const Variable middle = Variable::record("first", Tensor::full({}, 1), {x}, [&](const Tensor& g) {
    EXPECT_TRUE(watch.expired()) << "what a later operation captured still lives";
    first_ran = true;
    return std::vector<Tensor>{g};
  });
  Variable loss;
  {
    const auto captured = std::make_shared<int>(0);
    watch = captured;
    loss = Variable::record("second", Tensor::full({}, 1), {middle},
                            [captured](const Tensor& g) { return std::vector<Tensor>{g}; });
  }
  EXPECT_FALSE(watch.expired());
  backward(loss, pool);
  EXPECT_TRUE(first_ran);

  // A value lives as long as its handles, not as long as the tape.
  const auto storage = std::shared_ptr<float>(new float(1));
  const std::weak_ptr<float> value = storage;
  Variable end;
  {
    const Variable temporary =
        Variable::record("a", Tensor({}, storage), {x}, [](const Tensor& g) { return std::vector<Tensor>{g}; });
    end = add(temporary, x);
  }
  EXPECT_EQ(value.use_count(), 1);
  backward(end, pool);
  EXPECT_EQ(value_of(x.gradient()), 3);
}

TEST(Autograd, MistakesAreNamed) {
  ThreadPool pool(1);
  const Variable x = leaf(1);
  const auto broken = [&](std::vector<Tensor> gradients) {
    return Variable::record("broken_op", Tensor::full({}, 1), {x}, [gradients](const Tensor&) { return gradients; });
  };
  EXPECT_EQ(message_of([&] {
              backward(broken({Tensor::zeros({2, 3})}), pool);
            }),
            "backward of 'broken_op': expected gradient 0 of shape [], found [2, 3]");
  EXPECT_EQ(message_of([&] { backward(broken({}), pool); }), "backward of 'broken_op': expected 1 gradients, found 0");
  EXPECT_EQ(message_of([&] { backward(Variable(Tensor::zeros({2}), true), pool); }),
            "backward: expected a loss of one value, found [2]");
  EXPECT_EQ(message_of([&] { backward(Variable(), pool); }), "backward: expected a loss of one value, found nothing");
  EXPECT_EQ(message_of([&] { backward(Variable(Tensor::zeros({})), pool); }),
            "backward: the loss depends on nothing that requires a gradient");
  const Variable once = add(x, x);
  backward(once, pool);
  EXPECT_EQ(message_of([&] { backward(add(once, x), pool); }), "backward: the gradient of 'add' was already computed");
}

}  // namespace
}  // namespace linnet::autograd
