// The gradient of the input. With stride 1 it is a forward pass over the output gradient with the kernel turned round;
// with stride 2 a transposed convolution: tiles of input columns, each fed by the taps of its own parity.
#pragma once

#include "kernels/depthwise/forward.inl"

namespace linnet::kernels::LINNET_ISA {
namespace {

void input_gradient_stride1(const DepthwiseInputGradientArgs& args, Range rows) {
  DepthwiseArgs forward_args;
  Window& window = forward_args.window;
  window = args.window;
  window.in_height = args.window.out_height;
  window.in_width = args.window.out_width;
  window.out_height = args.window.in_height;
  window.out_width = args.window.in_width;
  window.pad_top = window.kernel_height - 1 - args.window.pad_top;
  window.pad_left = window.kernel_width - 1 - args.window.pad_left;
  forward_args.channels = args.channels;
  forward_args.input = args.output_gradient;
  forward_args.weights = args.weights + (window.kernel_area() - 1) * args.channels;
  forward_args.output = args.input_gradient;
  forward(forward_args, rows, -args.channels);
}

/// The input columns [ix, ix + width) of all these rows, for some of the channels; ix + pad_left is even.
template <Index kernel, Index width>
void transposed_column(const DepthwiseInputGradientArgs& args, Range rows, Index ix, Range channels,
                       const float* no_bias) {
  using Taps = TransposedTaps<kernel>;
  const Window& window = args.window;
  const Index x = (ix + window.pad_left) / 2 - (kernel - 1) / 2;
  const Range columns = inside(x, Taps::template columns<width>, window.out_width);
  const Range outputs = inside(ix, width, window.in_width);
  Tile<kernel> tile;
  tile.edges = {columns.begin, columns.end, outputs.begin, outputs.end};
  tile.input_column = args.channels;
  tile.tap = args.channels;
  tile.bias = no_bias;
  tile.residual = nullptr;
  tile.residual_column = 0;
  tile.output_column = args.channels;
  tile.channels = channels.size();
  tile.activation = Activation::none;
  for (Index row = rows.begin; row < rows.end; ++row) {
    const Index image = row / window.in_height;
    const Index y = row - image * window.in_height + window.pad_top;
    tile.rows = 0;
    for (Index ky = y % 2; ky < kernel; ky += 2) {
      const Index oy = (y - ky) / 2;
      if (y < ky || oy >= window.out_height) continue;
      const Index pixel = (image * window.out_height + oy) * window.out_width + x;
      tile.inputs[tile.rows] = args.output_gradient + pixel * args.channels + channels.begin;
      tile.weights[tile.rows++] = args.weights + ky * kernel * args.channels + channels.begin;
    }
    tile.output = args.input_gradient + (row * window.in_width + ix) * args.channels + channels.begin;
    run_tile<Taps, width>(tile);
  }
}

template <Index kernel>
void input_gradient_stride2(const DepthwiseInputGradientArgs& args, Range rows) {
  constexpr Index width = 8, block = ForwardShape<kernel, 2>::block;
  alignas(64) static constexpr float no_bias[block] = {};
  for (Index begin = 0; begin < args.channels; begin += block) {
    const Range channels{begin, begin + block < args.channels ? begin + block : args.channels};
    for (Index ix = -(args.window.pad_left % 2); ix < args.window.in_width; ix += width) {
      transposed_column<kernel, width>(args, rows, ix, channels, no_bias);
    }
  }
}

void input_gradient(const DepthwiseInputGradientArgs& args, Range input_rows) {
  if (args.window.stride == 1) return input_gradient_stride1(args, input_rows);
  switch (args.window.kernel_height) {
    case 3:
      return input_gradient_stride2<3>(args, input_rows);
    case 5:
      return input_gradient_stride2<5>(args, input_rows);
    default:
      return input_gradient_stride2<7>(args, input_rows);
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
