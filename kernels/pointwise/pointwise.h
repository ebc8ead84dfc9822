// Pointwise (1x1) convolution and its gradients: matrix products over pixels.
//
// Pixels are rows of `in_channels` floats, `input_stride` floats apart (NHWC: the stride is the channel count of the
// tensor that the rows lie in). Weights are in the reference layout [out_channels][in_channels] and are packed once.
// No alignment is asked of anything but packed weights (64 bytes). Nothing outside the named elements is read or
// written. Outputs alias no input, except that Epilogue::residual may be the output. Results do not depend on the
// number of threads.
#pragma once

#include <cstddef>

#include "kernels/common/epilogue.h"
#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

struct PointwiseArgs {
  Index rows = 0;  ///< pixels
  Index in_channels = 0;
  Index out_channels = 0;
  const float* input = nullptr;
  Index input_stride = 0;
  const float* weights = nullptr;  ///< from pointwise_pack
  float* output = nullptr;
  Index output_stride = 0;
  Epilogue epilogue;
};

/// Floats that pointwise_pack writes, for the instruction set in use.
std::size_t pointwise_packed_size(Index in_channels, Index out_channels);

/// Packs weights for the instruction set in use. Weight (o, i) is read from weights[o * out_stride + i * in_stride]:
/// strides (in_channels, 1) pack the reference layout for the forward pass. The product with the transposed matrix,
/// that is the gradient of the input, is a forward pass with the roles swapped: pack with in and out exchanged.
void pointwise_pack(const float* weights, Index out_stride, Index in_stride, Index in_channels, Index out_channels,
                    float* packed);

void pointwise(ThreadPool& pool, const PointwiseArgs& args);

struct PointwiseWeightGradientArgs {
  Index rows = 0;
  Index in_channels = 0;
  Index out_channels = 0;
  const float* input = nullptr;  ///< of the forward pass
  Index input_stride = 0;
  const float* output_gradient = nullptr;
  Index output_gradient_stride = 0;
  float* weight_gradient = nullptr;  ///< [out_channels][in_channels], overwritten
};

void pointwise_weight_gradient(ThreadPool& pool, const PointwiseWeightGradientArgs& args);

}  // namespace linnet::kernels
