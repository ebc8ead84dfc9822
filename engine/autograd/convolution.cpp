#include "engine/autograd/convolution.h"

#include <algorithm>
#include <utility>

#include "kernels/conv/conv.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/grouped/grouped.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/winograd/winograd.h"

namespace linnet::autograd {
namespace {

Tensor floats(std::size_t count) { return Tensor({static_cast<Index>(count)}); }

/// Runs a dense convolution that has everything but its packed weights and workspace.
void run_winograd(kernels::ConvArgs args, const Tensor& weight, ThreadPool& pool) {
  const Index in = args.in_channels, out = args.out_channels;
  Tensor packed = floats(kernels::winograd_packed_size(in, out));
  kernels::winograd_pack(weight.data(), in, out, packed.data());
  Tensor workspace = floats(kernels::winograd_workspace_size(args.window, in, out, pool.threads()));
  args.weights = packed.data();
  args.workspace = workspace.data();
  kernels::winograd(pool, args);
}

void run_direct(kernels::ConvArgs args, const Tensor& weight, ThreadPool& pool) {
  const Index in = args.in_channels, out = args.out_channels, area = args.window.kernel_area();
  Tensor packed = floats(kernels::conv_packed_size(in, out, area));
  kernels::conv_pack(weight.data(), in, out, area, packed.data());
  Tensor workspace = floats(kernels::conv_workspace_size(args.window, in, out, pool.threads()));
  args.weights = packed.data();
  args.workspace = workspace.data();
  kernels::conv(pool, args);
}

/// With stride 1 the gradient of the input is a convolution of the output's gradient, with `turned` weights.
kernels::Window gradient_window(const kernels::Window& window) {
  kernels::Window result = window;
  std::swap(result.in_height, result.out_height);
  std::swap(result.in_width, result.out_width);
  result.pad_top = (window.kernel_height - 1) * window.dilation - window.pad_top;
  result.pad_left = (window.kernel_width - 1) * window.dilation - window.pad_left;
  return result;
}

/// [outputs][inputs][taps] to [inputs][outputs][taps], the taps in reverse.
Tensor turned(const Tensor& weight) {
  const Index outputs = weight.dimension(0), inputs = weight.dimension(1);
  const Index taps = weight.dimension(2) * weight.dimension(3);
  Tensor result({inputs, outputs, weight.dimension(2), weight.dimension(3)});
  for (Index o = 0; o < outputs; ++o) {
    for (Index i = 0; i < inputs; ++i) {
      const float* filter = weight.data() + (o * inputs + i) * taps;
      std::reverse_copy(filter, filter + taps, result.data() + (i * outputs + o) * taps);
    }
  }
  return result;
}

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

Tensor convolve(const Convolution& c, const Tensor& x, const Tensor& weight, const kernels::Epilogue& epilogue,
                Shape shape, ThreadPool& pool) {
  Tensor output(std::move(shape));
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
    case Convolution::Family::dense:
      (kernels::winograd_pays(c.window, c.in_channels, c.out_channels) ? run_winograd : run_direct)(
          {.window = c.window,
           .in_channels = c.in_channels,
           .out_channels = c.out_channels,
           .input = x.data(),
           .input_stride = c.in_channels,
           .output = output.data(),
           .output_stride = c.out_channels,
           .epilogue = epilogue},
          weight, pool);
      break;
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
      if (const kernels::Window window = gradient_window(c.window);
          kernels::winograd_pays(window, c.out_channels, c.in_channels)) {
        run_winograd({.window = window,
                      .in_channels = c.out_channels,
                      .out_channels = c.in_channels,
                      .input = output_gradient.data(),
                      .input_stride = c.out_channels,
                      .output = result.data(),
                      .output_stride = c.in_channels,
                      .epilogue = {}},
                     turned(weight), pool);
        break;
      }
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
