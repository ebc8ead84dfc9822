#include "kernels/conv/conv.h"

#include "kernels/conv/convolution.h"

namespace linnet::kernels {

std::size_t conv_packed_size(Index in_channels, Index out_channels, Index kernel_area) {
  return convolution_packed_size(1, in_channels, out_channels, kernel_area);
}

void conv_pack(const float* weights, Index in_channels, Index out_channels, Index kernel_area, float* packed) {
  convolution_pack(weights, 1, in_channels, out_channels, kernel_area, packed);
}

std::size_t conv_workspace_size(const Window& window, Index in_channels, Index out_channels, int threads) {
  return convolution_workspace_size({window, 1, in_channels, out_channels}, threads);
}

void conv(ThreadPool& pool, const ConvArgs& args) {
  convolution(pool, {{args.window, 1, args.in_channels, args.out_channels},
                     args.input,
                     args.input_stride,
                     args.weights,
                     args.output,
                     args.output_stride,
                     args.epilogue,
                     args.workspace});
}

void conv_input_gradient(ThreadPool& pool, const ConvInputGradientArgs& args) {
  convolution_input_gradient(pool, {args.window, 1, args.in_channels, args.out_channels}, args.output_gradient,
                             args.weights, args.input_gradient);
}

void conv_weight_gradient(ThreadPool& pool, const ConvWeightGradientArgs& args) {
  convolution_weight_gradient(pool, {args.window, 1, args.in_channels, args.out_channels}, args.input,
                              args.output_gradient, args.weight_gradient);
}

}  // namespace linnet::kernels
