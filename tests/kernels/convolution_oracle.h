// Plain double-precision convolution and its gradients, for the tests of dense and grouped convolution.
#pragma once

#include <string>
#include <vector>

#include "kernel_test.h"
#include "kernels/conv/convolution.h"

namespace linnet::kernels::test {

/// Calls f(input index, output index, weight index) of the reference layouts for every product of the convolution.
template <class Function>
void for_each_product(const ConvolutionShape& shape, Function&& f) {
  const Window& w = shape.window;
  const Index inputs = shape.group_inputs(), outputs = shape.group_outputs();
  for (Index n = 0; n < w.batch; ++n)
    for (Index oy = 0; oy < w.out_height; ++oy)
      for (Index ox = 0; ox < w.out_width; ++ox)
        for (Index ky = 0; ky < w.kernel_height; ++ky)
          for (Index kx = 0; kx < w.kernel_width; ++kx) {
            const Index y = oy * w.stride - w.pad_top + ky * w.dilation;
            const Index x = ox * w.stride - w.pad_left + kx * w.dilation;
            if (y < 0 || y >= w.in_height || x < 0 || x >= w.in_width) continue;
            const Index in_pixel = (n * w.in_height + y) * w.in_width + x;
            const Index out_pixel = (n * w.out_height + oy) * w.out_width + ox;
            for (Index o = 0; o < shape.out_channels; ++o)
              for (Index i = 0; i < inputs; ++i)
                f(static_cast<std::size_t>(in_pixel * shape.in_channels + o / outputs * inputs + i),
                  static_cast<std::size_t>(out_pixel * shape.out_channels + o),
                  static_cast<std::size_t>(((o * inputs + i) * w.kernel_height + ky) * w.kernel_width + kx));
          }
}

inline std::vector<float> rounded(const std::vector<double>& values) { return {values.begin(), values.end()}; }

/// Shapes with every kind of window; `groups` of them divide the channels.
inline std::vector<ConvolutionShape> convolution_shapes(Index groups) {
  struct Spec {
    Index batch, height, width, kernel_height, kernel_width, stride, dilation, pad_top, pad_left, pad_end, in, out;
  };
  const Spec specs[] = {
      {1, 9, 11, 3, 3, 1, 1, 1, 1, 1, 3, 5},  {2, 8, 8, 3, 3, 2, 1, 1, 1, 1, 3, 32},
      {1, 9, 7, 3, 3, 2, 1, 0, 0, 1, 4, 8},   {3, 7, 7, 1, 1, 2, 1, 0, 0, 0, 16, 24},
      {2, 5, 6, 1, 1, 1, 1, 0, 0, 0, 7, 9},   {1, 12, 13, 3, 5, 1, 2, 2, 4, 3, 8, 6},
      {1, 13, 12, 3, 3, 2, 2, 2, 2, 2, 5, 7}, {1, 14, 14, 7, 7, 2, 1, 3, 3, 3, 3, 16},
      {2, 6, 5, 2, 2, 3, 1, 0, 1, 2, 9, 4},   {1, 10, 10, 5, 5, 3, 2, 4, 4, 4, 2, 3},
      {1, 1, 1, 3, 3, 1, 1, 1, 1, 1, 4, 4},   {2, 17, 19, 3, 3, 1, 1, 1, 1, 1, 20, 33},
      {1, 4, 4, 1, 1, 1, 1, 1, 1, 1, 6, 5},   {1, 5, 5, 4, 4, 1, 1, 3, 3, 3, 1, 1},
      {2, 5, 30, 3, 3, 1, 1, 1, 1, 1, 3, 20}, {1, 9, 61, 3, 3, 2, 1, 1, 1, 1, 4, 9},
      {1, 6, 40, 5, 4, 1, 1, 3, 2, 0, 2, 10}, {1, 4, 52, 1, 1, 2, 1, 0, 0, 0, 5, 6},
      {1, 3, 28, 3, 3, 1, 1, 1, 40, 1, 2, 3},
  };
  std::vector<ConvolutionShape> shapes;
  for (const Spec& s : specs) {
    ConvolutionShape shape;
    shape.groups = groups;
    shape.in_channels = s.in * groups;
    shape.out_channels = s.out * groups;
    shape.window = {s.batch,        s.height, s.width,    0,         0,         s.kernel_height,
                    s.kernel_width, s.stride, s.dilation, s.pad_top, s.pad_left};
    shape.window.out_height =
        (s.height + s.pad_top + s.pad_end - s.dilation * (s.kernel_height - 1) - 1) / s.stride + 1;
    shape.window.out_width = (s.width + s.pad_left + s.pad_end - s.dilation * (s.kernel_width - 1) - 1) / s.stride + 1;
    shapes.push_back(shape);
  }
  return shapes;
}

inline std::string describe(const ConvolutionShape& shape) {
  const Window& w = shape.window;
  return std::to_string(w.in_height) + "x" + std::to_string(w.in_width) + "x" + std::to_string(shape.in_channels) +
         " -> " + std::to_string(shape.out_channels) + ", kernel " + std::to_string(w.kernel_height) + "x" +
         std::to_string(w.kernel_width) + ", stride " + std::to_string(w.stride) + ", dilation " +
         std::to_string(w.dilation) + ", groups " + std::to_string(shape.groups);
}

/// Random data for one shape, and the sums of its forward and both gradients.
struct ConvolutionOracle {
  explicit ConvolutionOracle(const ConvolutionShape& s) : shape(s) {
    const Window& w = shape.window;
    const Index weight_count = shape.out_channels * shape.patch_size();
    input = random_floats(w.in_pixels() * shape.in_channels, 1);
    output_gradient = random_floats(w.out_pixels() * shape.out_channels, 2);
    weights = random_floats(weight_count, 3);
    std::vector<double> forward(output_gradient.size()), by_input(input.size()), by_weight(weights.size());
    for_each_product(shape, [&](std::size_t i, std::size_t o, std::size_t k) {
      forward[o] += double{input[i]} * weights[k];
      by_input[i] += double{output_gradient[o]} * weights[k];
      by_weight[k] += double{output_gradient[o]} * input[i];
    });
    output = rounded(forward);
    input_gradient = rounded(by_input);
    weight_gradient = rounded(by_weight);
  }

  ConvolutionShape shape;
  std::vector<float> input, weights, output_gradient;
  std::vector<float> output, input_gradient, weight_gradient;
};

/// `values`, rows of `channels`, spread to rows of `stride`; NaN between them.
inline std::vector<float> spread(const std::vector<float>& values, Index channels, Index stride) {
  const Index rows = static_cast<Index>(values.size()) / channels;
  std::vector<float> result(static_cast<std::size_t>(rows == 0 ? 0 : (rows - 1) * stride + channels), NAN);
  for (Index r = 0; r < rows; ++r) std::copy_n(values.data() + r * channels, channels, result.data() + r * stride);
  return result;
}

}  // namespace linnet::kernels::test
