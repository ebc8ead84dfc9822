#include "engine/autograd/convolution.h"

#include "kernels/conv/conv.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/grouped/grouped.h"
#include "kernels/pointwise/pointwise.h"

namespace linnet::autograd {
namespace {

Tensor floats(std::size_t count) { return Tensor({static_cast<Index>(count)}); }

}  // namespace

Convolution::Family Convolution::family() const {
  if (groups == in_channels && groups == out_channels) return Family::depthwise;
  if (groups > 1) return Family::grouped;
  const bool is_1x1 = window.kernel_area() == 1 && window.stride == 1 && window.pad_top == 0 && window.pad_left == 0 &&
                      window.out_pixels() == window.in_pixels();
  return is_1x1 ? Family::pointwise : Family::dense;
}

Tensor packed_pointwise(const Convolution& c, const Tensor& weight, bool transposed) {
  const Index inputs = transposed ? c.out_channels : c.in_channels;
  const Index outputs = transposed ? c.in_channels : c.out_channels;
  const Index out_stride = transposed ? 1 : c.in_channels, in_stride = transposed ? c.in_channels : 1;
  Tensor packed = floats(kernels::pointwise_packed_size(inputs, outputs));
  kernels::pointwise_pack(weight.data(), out_stride, in_stride, inputs, outputs, packed.data());
  return packed;
}

Tensor packed_depthwise(const Convolution& c, const Tensor& weight) {
  Tensor packed(weight.shape());
  kernels::depthwise_pack(weight.data(), c.in_channels, c.window.kernel_area(), packed.data());
  return packed;
}

Tensor convolve(const Convolution& c, const Tensor& x, const Tensor& weight, const float* bias, Shape shape,
                ThreadPool& pool) {
  Tensor output(std::move(shape));
  const kernels::Epilogue epilogue{.bias = bias};
  const Index area = c.window.kernel_area();
  switch (c.family()) {
    case Convolution::Family::pointwise: {
      const Tensor packed = packed_pointwise(c, weight, false);
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
    case Convolution::Family::depthwise: {
      const Tensor packed = packed_depthwise(c, weight);
      kernels::depthwise(pool, {.window = c.window,
                                .channels = c.in_channels,
                                .input = x.data(),
                                .weights = packed.data(),
                                .output = output.data(),
                                .epilogue = epilogue});
      break;
    }
    case Convolution::Family::grouped: {
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
    case Convolution::Family::dense: {
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
    case Convolution::Family::pointwise: {
      // The product with the transposed weights: a forward pass with the roles of the channels exchanged.
      const Tensor packed = packed_pointwise(c, weight, true);
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
    case Convolution::Family::depthwise: {
      const Tensor packed = packed_depthwise(c, weight);
      kernels::depthwise_input_gradient(pool, {.window = c.window,
                                               .channels = c.in_channels,
                                               .output_gradient = output_gradient.data(),
                                               .weights = packed.data(),
                                               .input_gradient = result.data()});
      break;
    }
    case Convolution::Family::grouped:
      kernels::grouped_input_gradient(pool, {.window = c.window,
                                             .groups = c.groups,
                                             .in_channels = c.in_channels,
                                             .out_channels = c.out_channels,
                                             .output_gradient = output_gradient.data(),
                                             .weights = weight.data(),
                                             .input_gradient = result.data()});
      break;
    case Convolution::Family::dense:
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
    case Convolution::Family::pointwise:
      kernels::pointwise_weight_gradient(pool, {.rows = c.window.in_pixels(),
                                                .in_channels = c.in_channels,
                                                .out_channels = c.out_channels,
                                                .input = x.data(),
                                                .input_stride = c.in_channels,
                                                .output_gradient = output_gradient.data(),
                                                .output_gradient_stride = c.out_channels,
                                                .weight_gradient = result.data()});
      break;
    case Convolution::Family::depthwise:
      kernels::depthwise_weight_gradient(pool, {.window = c.window,
                                                .channels = c.in_channels,
                                                .input = x.data(),
                                                .output_gradient = output_gradient.data(),
                                                .weight_gradient = result.data()});
      break;
    case Convolution::Family::grouped:
      kernels::grouped_weight_gradient(pool, {.window = c.window,
                                              .groups = c.groups,
                                              .in_channels = c.in_channels,
                                              .out_channels = c.out_channels,
                                              .input = x.data(),
                                              .output_gradient = output_gradient.data(),
                                              .weight_gradient = result.data()});
      break;
    case Convolution::Family::dense:
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

}  // namespace linnet::autograd
