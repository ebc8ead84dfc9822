#include "kernels/grouped/grouped.h"

#include "kernels/conv/convolution.h"

namespace linnet::kernels {

std::size_t grouped_packed_size(Index groups, Index in_channels, Index out_channels, Index kernel_area) {
  return convolution_packed_size(groups, in_channels, out_channels, kernel_area);
}

void grouped_pack(const float* weights, Index groups, Index in_channels, Index out_channels, Index kernel_area,
                  float* packed) {
  convolution_pack(weights, groups, in_channels, out_channels, kernel_area, packed);
}

std::size_t grouped_workspace_size(const Window& window, Index groups, Index in_channels, Index out_channels,
                                   int threads) {
  return convolution_workspace_size({window, groups, in_channels, out_channels}, threads);
}

void grouped(ThreadPool& pool, const GroupedArgs& args) {
  convolution(pool, {{args.window, args.groups, args.in_channels, args.out_channels},
                     args.input,
                     args.input_stride,
                     args.weights,
                     args.output,
                     args.output_stride,
                     args.epilogue,
                     args.workspace});
}

void grouped_input_gradient(ThreadPool& pool, const GroupedInputGradientArgs& args) {
  convolution_input_gradient(pool, {args.window, args.groups, args.in_channels, args.out_channels},
                             args.output_gradient, args.weights, args.input_gradient);
}

void grouped_weight_gradient(ThreadPool& pool, const GroupedWeightGradientArgs& args) {
  convolution_weight_gradient(pool, {args.window, args.groups, args.in_channels, args.out_channels}, args.input,
                              args.output_gradient, args.weight_gradient);
}

}  // namespace linnet::kernels
