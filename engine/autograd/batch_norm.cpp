#include "kernels/batch_norm/batch_norm.h"

#include <cmath>

#include "engine/autograd/checks.h"
#include "engine/autograd/statistics.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {
Variable batch_norm(const Variable& x, const Variable& gamma, const Variable& beta, Tensor& running_mean,
                    Tensor& running_var, Tensor& counter, const op::BatchNorm& op, Activation activation, bool training,
                    ThreadPool& pool) {
  const Shape shape = batch_output_shape(op, {x});
  const Index channels = shape.back();
  const Index rows = rows_of(x.value());
  check_shape("batch_norm", "a weight", {channels}, gamma.shape());
  check_shape("batch_norm", "a bias", {channels}, beta.shape());
  check_shape("batch_norm", "a running mean", {channels}, running_mean.shape());
  check_shape("batch_norm", "a running variance", {channels}, running_var.shape());

  Tensor output(shape), mean, inverse_std({channels});
  if (training) {
    check_rows(shape);
    mean = Tensor({channels});
    Tensor variance({channels});
    kernels::batch_norm(pool, {.rows = rows,
                               .channels = channels,
                               .input = x.value().data(),
                               .gamma = gamma.value().data(),
                               .beta = beta.value().data(),
                               .epsilon = op.epsilon,
                               .activation = activation,
                               .output = output.data(),
                               .mean = mean.data(),
                               .variance = variance.data(),
                               .inverse_std = inverse_std.data()});
    take_up(mean, variance, rows, op.momentum, running_mean, running_var, counter);
  } else {
    mean = running_mean.clone();
    Tensor scale({channels}), shift({channels});
    for (Index c = 0; c < channels; ++c) {
      inverse_std.data()[c] = 1.0f / std::sqrt(running_var.data()[c] + op.epsilon);
      scale.data()[c] = gamma.value().data()[c] * inverse_std.data()[c];
      shift.data()[c] = beta.value().data()[c] - mean.data()[c] * scale.data()[c];
    }
    kernels::scale_shift(pool, rows, channels, x.value().data(), scale.data(), shift.data(), activation, output.data());
  }
  return Variable::record("batch_norm", std::move(output), {x, gamma, beta},
                          [=, x = x.value(), gamma = gamma.value(), beta = beta.value(),
                           wants_x = x.requires_gradient(), &pool](Tensor gradient) {
                            Tensor x_gradient = wants_x ? reuse_or_allocate(gradient) : Tensor();
                            Tensor gamma_gradient({channels}), beta_gradient({channels});
                            kernels::batch_norm_gradient(
                                pool, {.rows = rows,
                                       .channels = channels,
                                       .input = x.data(),
                                       .output_gradient = gradient.data(),
                                       .norm = {gamma.data(), beta.data(), mean.data(), inverse_std.data(), activation},
                                       .fixed_statistics = !training,
                                       .input_gradient = x_gradient.data(),
                                       .gamma_gradient = gamma_gradient.data(),
                                       .beta_gradient = beta_gradient.data()});
                            return std::vector<Tensor>{x_gradient, gamma_gradient, beta_gradient};
                          });
}

}  // namespace linnet::autograd
