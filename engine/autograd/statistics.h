// What batch norms do with the statistics of a batch.
#pragma once

#include "engine/autograd/checks.h"

namespace linnet::autograd {

/// One value has no variance. `shape` is the input's.
inline void check_rows(const Shape& shape) {
  if (element_count(shape) < 2 * shape.back())
    throw Error("batch_norm: expected more than one value per channel in training, found input " + to_string(shape));
}

/// running = (1 - momentum) * running + momentum * now, the variance divided by rows - 1.
inline void take_up(const Tensor& mean, const Tensor& variance, Index rows, float momentum, Tensor& running_mean,
                    Tensor& running_var, Tensor& counter) {
  const float unbiased = static_cast<float>(rows) / static_cast<float>(rows - 1);
  float *to_mean = running_mean.data(), *to_var = running_var.data();
  for (Index c = 0; c < mean.size(); ++c) {
    to_mean[c] += momentum * (mean.data()[c] - to_mean[c]);
    to_var[c] += momentum * (unbiased * variance.data()[c] - to_var[c]);
  }
  if (!counter.empty()) *counter.data() += 1.0f;
}

}  // namespace linnet::autograd
