// The operations that only MobileNetV4 and NASNet have, against finite differences.
#include <gtest/gtest.h>

#include "engine/finite_differences.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {
namespace {

using testing::gradient_error;
using testing::random_tensor;
using Inputs = std::vector<Variable>;

constexpr double block_tolerance = 2e-4;  // float32 values, differences of fourth order

TEST(AutogradBlockOps, ZeroPad) {
  ThreadPool pool(2);
  const Tensor x = random_tensor({2, 4, 3, 5}, 1);
  const op::ZeroPad pads[] = {{1, 2, 3, 1}, {-1, -1, 1, 1}, {-1, -1, 0, 0}, {2, -2, -3, 4}, {}};
  for (const op::ZeroPad& pad : pads) {
    EXPECT_LT(gradient_error(
                  {x}, [&](const Inputs& v) { return zero_pad(v[0], pad, pool); }, pool, 0.5),
              2e-5);
  }
  // A shift by one pixel: what was at (1, 1) is at (0, 0), and the last row and column are zero.
  const Tensor shifted = zero_pad(Variable(x), {-1, -1, 1, 1}, pool).value();
  EXPECT_EQ(shifted.shape(), x.shape());
  EXPECT_EQ(shifted.data()[0], x.data()[(3 + 1) * 5]);
  for (Index i = 0; i < 5; ++i) EXPECT_EQ(shifted.data()[2 * 5 + i], 0);
}

TEST(AutogradBlockOps, BlurPool) {
  ThreadPool pool(2);
  EXPECT_LT(gradient_error(
                {random_tensor({2, 5, 6, 3}, 1)}, [&](const Inputs& v) { return blur_pool(v[0], pool); }, pool, 0.5),
            block_tolerance);
  // A constant stays, but at the corner, where 7 of 16 parts fall on padding.
  const Tensor blurred = blur_pool(Variable(Tensor::full({1, 4, 4, 1}, 16)), pool).value();
  EXPECT_EQ(blurred.shape(), (Shape{1, 2, 2, 1}));
  EXPECT_EQ(blurred.data()[0], 9);
  EXPECT_EQ(blurred.data()[3], 16);
}

TEST(AutogradBlockOps, LayerScale) {
  ThreadPool pool(2);
  EXPECT_LT(gradient_error(
                {random_tensor({3, 2, 4, 5}, 1), random_tensor({5}, 2)},
                [&](const Inputs& v) { return layer_scale(v[0], v[1], pool); }, pool),
            block_tolerance);
}

TEST(AutogradBlockOps, MultiQueryAttention) {
  ThreadPool pool(2);
  struct Case {
    Index heads, depth, height, key_height;
  };
  for (const Case& c : {Case{1, 4, 3, 3}, Case{3, 5, 4, 2}, Case{2, 8, 1, 1}, Case{4, 1, 2, 5}}) {
    SCOPED_TRACE(c.heads);
    EXPECT_LT(
        gradient_error(
            {random_tensor({2, c.height, 3, c.heads * c.depth}, 1, -2, 2),
             random_tensor({2, c.key_height, 2, c.depth}, 2, -2, 2), random_tensor({2, c.key_height, 2, c.depth}, 3)},
            [&](const Inputs& v) { return multi_query_attention(v[0], v[1], v[2], c.heads, pool); }, pool),
        block_tolerance);
  }
  // Every query alike: the keys do not tell apart, and the output is the mean of the values.
  const Tensor value = random_tensor({1, 2, 2, 3}, 4);
  const Tensor mean = multi_query_attention(Variable(Tensor::zeros({1, 1, 1, 6})),
                                            Variable(random_tensor({1, 2, 2, 3}, 5)), Variable(value), 2, pool)
                          .value();
  for (Index i = 0; i < 6; ++i) {
    float sum = 0;
    for (Index k = 0; k < 4; ++k) sum += value.data()[3 * k + i % 3];
    EXPECT_NEAR(mean.data()[i], sum / 4, 1e-6);
  }
}

}  // namespace
}  // namespace linnet::autograd
