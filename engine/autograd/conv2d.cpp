// Convolutions: one operation, four families of kernels.
#include "engine/autograd/checks.h"
#include "kernels/conv/conv.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/grouped/grouped.h"
#include "kernels/linear/linear.h"
#include "kernels/pointwise/pointwise.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {
namespace {

using kernels::Window;

enum class Family { pointwise, depthwise, grouped, dense };

/// A convolution with its shapes, ready to run in either direction.
struct Convolution {
  Window window;
  Index groups = 1;
  Index in_channels = 0;
  Index out_channels = 0;

  Family family() const {
    if (groups == in_channels && groups == out_channels) return Family::depthwise;
    if (groups > 1) return Family::grouped;
    const bool is_1x1 = window.kernel_area() == 1 && window.stride == 1 && window.pad_top == 0 &&
                        window.pad_left == 0 && window.out_pixels() == window.in_pixels();
    return is_1x1 ? Family::pointwise : Family::dense;
  }
};

Tensor floats(std::size_t count) { return Tensor({static_cast<Index>(count)}); }

Tensor forward(const Convolution& c, const Tensor& x, const Tensor& weight, const float* bias, Shape shape,
               ThreadPool& pool) {
  Tensor output(std::move(shape));
  const kernels::Epilogue epilogue{.bias = bias};
  const Index area = c.window.kernel_area();
  switch (c.family()) {
    case Family::pointwise: {
      Tensor packed = floats(kernels::pointwise_packed_size(c.in_channels, c.out_channels));
      kernels::pointwise_pack(weight.data(), c.in_channels, 1, c.in_channels, c.out_channels, packed.data());
      kernels::pointwise(pool, {.rows = c.window.in_pixels(),
                                .in_channels = c.in_channels,
                                .out_channels = c.out_channels,
                                .input = x.data(),
                                .input_stride = c.in_channels,
                                .weights = packed.data(),
                                .output = output.data(),
                                .output_stride = c.out_channels,
                                .epilogue = epilogue});
      break;
    }
    case Family::depthwise: {
      Tensor packed(weight.shape());
      kernels::depthwise_pack(weight.data(), c.in_channels, area, packed.data());
      kernels::depthwise(pool, {.window = c.window,
                                .channels = c.in_channels,
                                .input = x.data(),
                                .weights = packed.data(),
                                .output = output.data(),
                                .epilogue = epilogue});
      break;
    }
    case Family::grouped: {
      Tensor packed = floats(kernels::grouped_packed_size(c.groups, c.in_channels, c.out_channels, area));
      kernels::grouped_pack(weight.data(), c.groups, c.in_channels, c.out_channels, area, packed.data());
      Tensor workspace =
          floats(kernels::grouped_workspace_size(c.window, c.groups, c.in_channels, c.out_channels, pool.threads()));
      kernels::grouped(pool, {.window = c.window,
                              .groups = c.groups,
                              .in_channels = c.in_channels,
                              .out_channels = c.out_channels,
                              .input = x.data(),
                              .input_stride = c.in_channels,
                              .weights = packed.data(),
                              .output = output.data(),
                              .output_stride = c.out_channels,
                              .epilogue = epilogue,
                              .workspace = workspace.data()});
      break;
    }
    case Family::dense: {
      Tensor packed = floats(kernels::conv_packed_size(c.in_channels, c.out_channels, area));
      kernels::conv_pack(weight.data(), c.in_channels, c.out_channels, area, packed.data());
      Tensor workspace = floats(kernels::conv_workspace_size(c.window, c.in_channels, c.out_channels, pool.threads()));
      kernels::conv(pool, {.window = c.window,
                           .in_channels = c.in_channels,
                           .out_channels = c.out_channels,
                           .input = x.data(),
                           .input_stride = c.in_channels,
                           .weights = packed.data(),
                           .output = output.data(),
                           .output_stride = c.out_channels,
                           .epilogue = epilogue,
                           .workspace = workspace.data()});
      break;
    }
  }
  return output;
}

Tensor input_gradient(const Convolution& c, const Shape& shape, const Tensor& weight, const Tensor& output_gradient,
                      ThreadPool& pool) {
  Tensor result(shape);
  switch (c.family()) {
    case Family::pointwise: {
      // The product with the transposed weights: a forward pass with the roles of the channels exchanged.
      Tensor packed = floats(kernels::pointwise_packed_size(c.out_channels, c.in_channels));
      kernels::pointwise_pack(weight.data(), 1, c.in_channels, c.out_channels, c.in_channels, packed.data());
      kernels::pointwise(pool, {.rows = c.window.in_pixels(),
                                .in_channels = c.out_channels,
                                .out_channels = c.in_channels,
                                .input = output_gradient.data(),
                                .input_stride = c.out_channels,
                                .weights = packed.data(),
                                .output = result.data(),
                                .output_stride = c.in_channels,
                                .epilogue = {}});
      break;
    }
    case Family::depthwise: {
      Tensor packed(weight.shape());
      kernels::depthwise_pack(weight.data(), c.in_channels, c.window.kernel_area(), packed.data());
      kernels::depthwise_input_gradient(pool, {.window = c.window,
                                               .channels = c.in_channels,
                                               .output_gradient = output_gradient.data(),
                                               .weights = packed.data(),
                                               .input_gradient = result.data()});
      break;
    }
    case Family::grouped:
      kernels::grouped_input_gradient(pool, {.window = c.window,
                                             .groups = c.groups,
                                             .in_channels = c.in_channels,
                                             .out_channels = c.out_channels,
                                             .output_gradient = output_gradient.data(),
                                             .weights = weight.data(),
                                             .input_gradient = result.data()});
      break;
    case Family::dense:
      kernels::conv_input_gradient(pool, {.window = c.window,
                                          .in_channels = c.in_channels,
                                          .out_channels = c.out_channels,
                                          .output_gradient = output_gradient.data(),
                                          .weights = weight.data(),
                                          .input_gradient = result.data()});
      break;
  }
  return result;
}

Tensor weight_gradient(const Convolution& c, const Shape& shape, const Tensor& x, const Tensor& output_gradient,
                       ThreadPool& pool) {
  Tensor result(shape);
  switch (c.family()) {
    case Family::pointwise:
      kernels::pointwise_weight_gradient(pool, {.rows = c.window.in_pixels(),
                                                .in_channels = c.in_channels,
                                                .out_channels = c.out_channels,
                                                .input = x.data(),
                                                .input_stride = c.in_channels,
                                                .output_gradient = output_gradient.data(),
                                                .output_gradient_stride = c.out_channels,
                                                .weight_gradient = result.data()});
      break;
    case Family::depthwise:
      kernels::depthwise_weight_gradient(pool, {.window = c.window,
                                                .channels = c.in_channels,
                                                .input = x.data(),
                                                .output_gradient = output_gradient.data(),
                                                .weight_gradient = result.data()});
      break;
    case Family::grouped:
      kernels::grouped_weight_gradient(pool, {.window = c.window,
                                              .groups = c.groups,
                                              .in_channels = c.in_channels,
                                              .out_channels = c.out_channels,
                                              .input = x.data(),
                                              .output_gradient = output_gradient.data(),
                                              .weight_gradient = result.data()});
      break;
    case Family::dense:
      kernels::conv_weight_gradient(pool, {.window = c.window,
                                           .in_channels = c.in_channels,
                                           .out_channels = c.out_channels,
                                           .input = x.data(),
                                           .output_gradient = output_gradient.data(),
                                           .weight_gradient = result.data()});
      break;
  }
  return result;
}

}  // namespace

Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias, const op::Conv2d& op,
                ThreadPool& pool) {
  if (op.activation != Activation::none || op.residual)
    throw Error("conv2d: expected no activation and no residual in training, found a compiled convolution");
  const Shape shape = batch_output_shape(op, {x});
  const Index in_channels = x.shape()[3];
  check_shape("conv2d", "a weight", {op.out_channels, in_channels / op.groups, op.kernel, op.kernel}, weight.shape());
  if (bias.defined()) check_shape("conv2d", "a bias", {op.out_channels}, bias.shape());

  const Convolution c{window_of(op, op.dilation, x.shape(), shape), op.groups, in_channels, op.out_channels};
  Tensor output = forward(c, x.value(), weight.value(), bias.defined() ? bias.value().data() : nullptr, shape, pool);
  return Variable::record(
      "conv2d", std::move(output), {x, weight, bias},
      [c, x_shape = x.shape(), x = weight.requires_gradient() ? x.value() : Tensor(), wants_x = x.requires_gradient(),
       wants_bias = bias.requires_gradient(), weight = weight.value(), &pool](const Tensor& gradient) {
        std::vector<Tensor> gradients(3);
        if (!x.empty()) gradients[1] = weight_gradient(c, weight.shape(), x, gradient, pool);
        if (wants_x) gradients[0] = input_gradient(c, x_shape, weight, gradient, pool);
        if (wants_bias) {
          gradients[2] = Tensor({c.out_channels});
          kernels::bias_gradient(pool, c.window.out_pixels(), c.out_channels, gradient.data(), gradients[2].data());
        }
        return gradients;
      });
}

}  // namespace linnet::autograd
