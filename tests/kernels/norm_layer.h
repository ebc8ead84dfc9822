// For tests of operations between batch norms.
#pragma once

#include "kernel_test.h"
#include "kernels/batch_norm/batch_norm.h"

namespace linnet::kernels::test {

/// Parameters and statistics of a batch norm.
struct NormLayer {
  NormLayer(Index channels, unsigned seed, Activation with)
      : gamma(random_floats(channels, seed, 0.5f, 2.0f)),
        beta(random_floats(channels, seed + 1)),
        mean(random_floats(channels, seed + 2)),
        inverse_std(random_floats(channels, seed + 3, 0.5f, 2.0f)),
        activation(with) {}
  Norm norm() const { return {gamma.data(), beta.data(), mean.data(), inverse_std.data(), activation}; }

  std::vector<float> gamma, beta, mean, inverse_std;
  Activation activation;
};

/// `tolerance` is relative to the largest expected value.
template <class Value>
void expect_near(const std::vector<Value>& found, const std::vector<Value>& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  double largest = 0;
  for (const Value value : expected) largest = std::max(largest, std::abs(static_cast<double>(value)));
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(found[i]), static_cast<double>(expected[i]), tolerance * largest) << i;
  }
}

}  // namespace linnet::kernels::test
