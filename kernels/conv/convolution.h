// Convolution with any number of groups, on the kernels of the pointwise family: what conv.h and grouped.h share.
//
// Groups are the innermost loop over tiles of pixels, so that a pixel's channels are read and written together.
#pragma once

#include <cstddef>

#include "kernels/common/epilogue.h"
#include "kernels/common/window.h"
#include "kernels/pointwise/pointwise.h"
#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

struct ConvolutionShape {
  Window window;
  Index groups = 1;
  Index in_channels = 0;   ///< of all groups
  Index out_channels = 0;  ///< of all groups

  Index group_inputs() const { return in_channels / groups; }
  Index group_outputs() const { return out_channels / groups; }
  Index patch_size() const { return group_inputs() * window.kernel_area(); }
};

/// One pointwise packing of [group outputs][kernel area][group inputs] per group.
std::size_t convolution_packed_size(Index groups, Index in_channels, Index out_channels, Index kernel_area);
void convolution_pack(const float* weights, Index groups, Index in_channels, Index out_channels, Index kernel_area,
                      float* packed);
std::size_t convolution_workspace_size(const ConvolutionShape& shape, int threads);

struct ConvolutionArgs {
  ConvolutionShape shape;
  const float* input = nullptr;
  Index input_stride = 0;
  const float* weights = nullptr;  ///< from convolution_pack
  float* output = nullptr;
  Index output_stride = 0;
  Epilogue epilogue;
  float* workspace = nullptr;
};
void convolution(ThreadPool& pool, const ConvolutionArgs& args);

/// The product behind some outputs. Output, its strides and the epilogue are still to be filled in.
struct RowProduct {
  PointwiseArgs product;
  Segments segments;
};
/// For callers that decide when a row of outputs is made and where it goes: floats of the copy that a row needs, 0 if
/// this convolution is not computed by rows; and the row's product.
Index convolution_row_size(const ConvolutionShape& shape);
/// Copies the input rows under output row `row` (counted through the batch). `input` and `weights` are those of one
/// group.
RowProduct convolution_row(const ConvolutionShape& shape, Index row, const float* input, Index input_stride,
                           const float* weights, float* copy);

/// Dense tensors; weights and their gradient in the reference layout.
void convolution_input_gradient(ThreadPool& pool, const ConvolutionShape& shape, const float* output_gradient,
                                const float* weights, float* input_gradient);
void convolution_weight_gradient(ThreadPool& pool, const ConvolutionShape& shape, const float* input,
                                 const float* output_gradient, float* weight_gradient);

}  // namespace linnet::kernels
