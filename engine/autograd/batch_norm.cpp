#include "kernels/batch_norm/batch_norm.h"

#include <cmath>

#include "engine/autograd/checks.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {
namespace {

/// running = (1 - momentum) * running + momentum * factor * now
void take_up(Tensor& running, const Tensor& now, float momentum, float factor) {
  for (Index c = 0; c < running.size(); ++c)
    running.data()[c] += momentum * (factor * now.data()[c] - running.data()[c]);
}

}  // namespace

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
    if (rows < 2)
      throw Error("batch_norm: expected more than one value per channel in training, found input " + to_string(shape));
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
    take_up(running_mean, mean, op.momentum, 1.0f);
    take_up(running_var, variance, op.momentum, static_cast<float>(rows) / static_cast<float>(rows - 1));
    if (!counter.empty()) *counter.data() += 1.0f;
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
                            kernels::batch_norm_gradient(pool, {.rows = rows,
                                                                .channels = channels,
                                                                .input = x.data(),
                                                                .output_gradient = gradient.data(),
                                                                .gamma = gamma.data(),
                                                                .beta = beta.data(),
                                                                .mean = mean.data(),
                                                                .inverse_std = inverse_std.data(),
                                                                .activation = activation,
                                                                .fixed_statistics = !training,
                                                                .input_gradient = x_gradient.data(),
                                                                .gamma_gradient = gamma_gradient.data(),
                                                                .beta_gradient = beta_gradient.data()});
                            return std::vector<Tensor>{x_gradient, gamma_gradient, beta_gradient};
                          });
}

}  // namespace linnet::autograd
