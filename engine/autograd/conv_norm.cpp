// Convolution, batch norm and activation as one operation, and its output as something still to be computed.
#include <vector>

#include "engine/autograd/checks.h"
#include "engine/autograd/convolution.h"
#include "engine/autograd/statistics.h"
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/conv_norm/conv_norm.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {

/// What stands between the products of a convolution and the map that they become.
struct NormalisedMap::Pending {
  Tensor products, gamma, beta, mean, inverse_std;
  Activation activation;
  /// [2][channels], of kernels::batch_norm_gradient_sums, if the reader of the map has come by them; else empty.
  std::vector<double> sums;
  bool is_read = false;

  Index channels() const { return gamma.size(); }
  kernels::Norm norm() const { return {gamma.data(), beta.data(), mean.data(), inverse_std.data(), activation}; }
};

namespace {

using kernels::BatchNormGradientArgs;

std::vector<double> room_for_sums(Index channels) {
  return std::vector<double>(static_cast<std::size_t>(2 * channels));
}

Tensor to_floats(const double* values, Index size) {
  Tensor result({size});
  for (Index i = 0; i < size; ++i) result.data()[i] = static_cast<float>(values[i]);
  return result;
}

}  // namespace

Variable NormalisedMap::value(ThreadPool& pool) {
  if (pending_ == nullptr) return variable_;
  if (pending_->is_read) throw Error("conv_norm: its output was handed to another conv_norm and is read again");
  Tensor output(pending_->products.shape());
  kernels::normalise(pool, rows_of(output), pending_->channels(), pending_->norm(), pending_->products.data(),
                     output.data());
  // Gradients of `variable_` are those of the normalised map.
  variable_ = Variable::record("normalise", std::move(output), {variable_},
                               [](Tensor gradient) { return std::vector<Tensor>{std::move(gradient)}; });
  pending_ = nullptr;
  return variable_;
}

/// A conv_norm as both passes see it.
struct NormalisedMap::Operation {
  Convolution convolution;
  Shape x_shape;
  Tensor x, weight;
  std::shared_ptr<Pending> input;  ///< what x still has to go through; null: nothing
  std::shared_ptr<Pending> output;
  float epsilon;
  bool wants_x;

  enum class Way { passes, pointwise, depthwise };
  Way way() const {
    const Convolution& c = convolution;
    if (c.family() == Convolution::Family::pointwise &&
        kernels::pointwise_norm_pays(rows(), c.in_channels, c.out_channels))
      return Way::pointwise;
    if (c.family() == Convolution::Family::depthwise && kernels::depthwise_norm_pays(c.window, c.in_channels))
      return Way::depthwise;
    return Way::passes;
  }
  Index rows() const { return convolution.window.out_pixels(); }

  /// Sets the products and the statistics of `output`.
  void forward(const Shape& shape, Tensor& variance, ThreadPool& pool) const {
    Tensor &mean = output->mean, &inverse_std = output->inverse_std;
    if (way() == Way::passes) {
      output->products = convolve(convolution, x, weight, {}, shape, pool);
      kernels::batch_norm_statistics(pool, {.rows = rows(),
                                            .channels = output->channels(),
                                            .input = output->products.data(),
                                            .epsilon = epsilon,
                                            .mean = mean.data(),
                                            .variance = variance.data(),
                                            .inverse_std = inverse_std.data()});
      return;
    }
    output->products = Tensor(shape);
    const kernels::Norm input_norm = input ? input->norm() : kernels::Norm();
    const Tensor packed =
        way() == Way::pointwise ? packed_pointwise(convolution, weight, false) : packed_depthwise(convolution, weight);
    const kernels::ConvNormArgs args{.input = x.data(),
                                     .input_norm = input ? &input_norm : nullptr,
                                     .weights = packed.data(),
                                     .epsilon = epsilon,
                                     .output = output->products.data(),
                                     .mean = mean.data(),
                                     .variance = variance.data(),
                                     .inverse_std = inverse_std.data()};
    if (way() == Way::pointwise) {
      kernels::pointwise_norm(pool, rows(), convolution.in_channels, convolution.out_channels, args);
    } else {
      kernels::depthwise_norm(pool, convolution.window, convolution.in_channels, args);
    }
  }

  /// Of x, weight, gamma, beta.
  std::vector<Tensor> backward(Tensor gradient, ThreadPool& pool) const {
    BatchNormGradientArgs args{.rows = rows(),
                               .channels = output->channels(),
                               .input = output->products.data(),
                               .output_gradient = gradient.data(),
                               .norm = output->norm()};
    std::vector<double>& sums = output->sums;
    if (sums.empty()) {
      sums = room_for_sums(args.channels);
      kernels::batch_norm_gradient_sums(pool, args, sums.data());
    }
    std::vector<Tensor> gradients(4);
    gradients[2] = to_floats(sums.data() + args.channels, args.channels);
    gradients[3] = to_floats(sums.data(), args.channels);
    if (way() != Way::passes) {
      gradients[1] = Tensor(weight.shape());
      if (wants_x) gradients[0] = Tensor(x_shape);
      backward_by_pieces(gradient, gradients[0], gradients[1], pool);
      return gradients;
    }
    Tensor product_gradient = reuse_or_allocate(gradient);
    args.input_gradient = product_gradient.data();
    kernels::batch_norm_input_gradient(pool, args, sums.data());
    gradients[1] = weight_gradient(convolution, weight.shape(), x, product_gradient, pool);
    if (wants_x) gradients[0] = input_gradient(convolution, x_shape, weight, product_gradient, pool);
    return gradients;
  }

  void backward_by_pieces(const Tensor& gradient, Tensor& x_gradient, Tensor& weight_gradient, ThreadPool& pool) const {
    const kernels::Norm input_norm = input ? input->norm() : kernels::Norm();
    const bool wants_sums = input && wants_x;
    if (wants_sums) input->sums = room_for_sums(convolution.in_channels);
    Tensor packed;
    if (way() == Way::depthwise) packed = packed_depthwise(convolution, weight);
    if (way() == Way::pointwise && wants_x) packed = packed_pointwise(convolution, weight, true);
    const kernels::ConvNormGradientArgs args{.input = x.data(),
                                             .input_norm = input ? &input_norm : nullptr,
                                             .output = output->products.data(),
                                             .output_norm = output->norm(),
                                             .output_gradient = gradient.data(),
                                             .output_sums = output->sums.data(),
                                             .weights = packed.data(),
                                             .weight_gradient = weight_gradient.data(),
                                             .input_gradient = x_gradient.data(),
                                             .input_sums = wants_sums ? input->sums.data() : nullptr};
    if (way() == Way::pointwise) {
      kernels::pointwise_norm_gradient(pool, rows(), convolution.in_channels, convolution.out_channels, args);
    } else {
      kernels::depthwise_norm_gradient(pool, convolution.window, convolution.in_channels, args);
    }
  }
};

NormalisedMap conv_norm(NormalisedMap x, const Variable& weight, const Variable& gamma, const Variable& beta,
                        Tensor& running_mean, Tensor& running_var, Tensor& counter, const op::Conv2d& conv,
                        const op::BatchNorm& norm, Activation activation, ThreadPool& pool) {
  if (conv.activation != Activation::none || conv.residual || conv.bias)
    throw Error("conv_norm: expected a convolution without activation, residual and bias");
  const Shape shape = batch_output_shape(conv, {x.variable_});
  const Index in_channels = x.variable_.shape()[3], channels = conv.out_channels;
  check_shape("conv_norm", "a weight", {channels, in_channels / conv.groups, conv.kernel, conv.kernel}, weight.shape());
  for (const Variable* variable : {&gamma, &beta})
    check_shape("conv_norm", "a parameter", {channels}, variable->shape());
  for (const Tensor* tensor : {&running_mean, &running_var})
    check_shape("conv_norm", "a statistic", {channels}, tensor->shape());
  check_rows(shape);

  const Convolution convolution{window_of(conv, conv.dilation, x.variable_.shape(), shape), conv.groups, in_channels,
                                channels};
  NormalisedMap::Operation operation{.convolution = convolution,
                                     .x_shape = x.variable_.shape(),
                                     .x = {},
                                     .weight = weight.value(),
                                     .input = {},
                                     .output = std::make_shared<NormalisedMap::Pending>(),
                                     .epsilon = norm.epsilon,
                                     .wants_x = x.variable_.requires_gradient()};
  if (operation.way() == NormalisedMap::Operation::Way::passes) x.value(pool);
  operation.x = x.variable_.value();
  operation.input = x.pending_;
  if (x.pending_ != nullptr) {
    if (x.pending_->is_read) throw Error("conv_norm: its input was handed to another conv_norm before");
    x.pending_->is_read = true;
  }
  NormalisedMap::Pending& output = *operation.output;
  output.gamma = gamma.value();
  output.beta = beta.value();
  output.activation = activation;
  output.mean = Tensor({channels});
  output.inverse_std = Tensor({channels});
  Tensor variance({channels});
  operation.forward(shape, variance, pool);
  take_up(output.mean, variance, operation.rows(), norm.momentum, running_mean, running_var, counter);

  NormalisedMap result(
      Variable::record("conv_norm", output.products, {x.variable_, weight, gamma, beta},
                       [operation, &pool](Tensor gradient) { return operation.backward(std::move(gradient), pool); }));
  result.pending_ = operation.output;
  return result;
}

}  // namespace linnet::autograd
