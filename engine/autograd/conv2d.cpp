#include "engine/autograd/checks.h"
#include "engine/autograd/convolution.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/linear/linear.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {

bool conv2d_takes(Activation activation) {
  return activation == Activation::none || activation == Activation::relu || activation == Activation::relu6;
}

Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias, const op::Conv2d& op,
                ThreadPool& pool) {
  if (!conv2d_takes(op.activation) || op.residual)
    throw Error(
        "conv2d: expected activation none, relu or relu6 and no residual in training, found a compiled convolution");
  const Shape shape = batch_output_shape(op, {x});
  const Index in_channels = x.shape()[3];
  check_shape("conv2d", "a weight", {op.out_channels, in_channels / op.groups, op.kernel, op.kernel}, weight.shape());
  if (bias.defined()) check_shape("conv2d", "a bias", {op.out_channels}, bias.shape());

  const Convolution c{window_of(op, op.dilation, x.shape(), shape), op.groups, in_channels, op.out_channels};
  const kernels::Epilogue epilogue{.bias = bias.defined() ? bias.value().data() : nullptr, .activation = op.activation};
  Tensor output = convolve(c, x.value(), weight.value(), epilogue, shape, pool);
  const Tensor activated = op.activation == Activation::none ? Tensor() : output;
  return Variable::record("conv2d", std::move(output), {x, weight, bias},
                          [c, x_shape = x.shape(), x = weight.requires_gradient() ? x.value() : Tensor(),
                           wants_x = x.requires_gradient(), wants_bias = bias.requires_gradient(),
                           weight = weight.value(), activation = op.activation, activated, &pool](Tensor gradient) {
                            if (!activated.empty()) {
                              Tensor product_gradient = reuse_or_allocate(gradient);
                              kernels::activate_gradient(pool, activation, gradient.size(), activated.data(),
                                                         gradient.data(), product_gradient.data());
                              gradient = std::move(product_gradient);
                            }
                            std::vector<Tensor> gradients(3);
                            if (!x.empty()) gradients[1] = weight_gradient(c, weight.shape(), x, gradient, pool);
                            if (wants_x) gradients[0] = input_gradient(c, x_shape, weight, gradient, pool);
                            if (wants_bias) {
                              gradients[2] = Tensor({c.out_channels});
                              kernels::bias_gradient(pool, c.window.out_pixels(), c.out_channels, gradient.data(),
                                                     gradients[2].data());
                            }
                            return gradients;
                          });
}

}  // namespace linnet::autograd
