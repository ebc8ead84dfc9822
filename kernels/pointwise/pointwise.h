// Pointwise (1x1) convolution and its gradients: matrix products over pixels.
//
// Pixels are rows of `in_channels` floats, `input_stride` floats apart (NHWC: the stride is the channel count of the
// tensor that the rows lie in). Weights are in the reference layout [out_channels][in_channels] and are packed once.
// No alignment is asked of anything but packed weights (64 bytes). Nothing outside the named elements is read or
// written. Outputs alias no input, except that Epilogue::residual may be the output. Results do not depend on the
// number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/common/epilogue.h"
#include "kernels/common/range.h"
#include "kernels/dispatch/dispatch.h"
#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

/// An output in channel blocks: vectors of channels (PointwiseKernels::lanes) lie `stride` floats apart, those of
/// neighbouring pixels side by side. The last vector is written whole.
struct OutputBlocks {
  Index stride = 0;                         ///< 0: the output is NHWC
  const std::int32_t* positions = nullptr;  ///< of each row, in floats, rising or falling; null: row * output_stride
};

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
  OutputBlocks blocks = {};
};

/// Floats that pointwise_pack writes, for the instruction set in use.
std::size_t pointwise_packed_size(Index in_channels, Index out_channels);

/// Packs weights for the instruction set in use. Weight (o, i) is read from weights[o * out_stride + i * in_stride]:
/// strides (in_channels, 1) pack the reference layout for the forward pass. The product with the transposed matrix,
/// that is the gradient of the input, is a forward pass with the roles swapped: pack with in and out exchanged.
/// With a scale, all weights of output o are multiplied with out_scale[o].
void pointwise_pack(const float* weights, Index out_stride, Index in_stride, Index in_channels, Index out_channels,
                    float* packed, const float* out_scale = nullptr);

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

/// sum = the `count` parts of `size` floats, which lie one after the other, added in this order.
void sum_weight_gradients(ThreadPool& pool, const float* parts, Index count, Index size, float* sum);

// What an instruction set provides. All of it runs on the calling thread.

/// One block of a weight gradient, summed over some of the rows.
struct WeightGradientBlock {
  Range rows;
  Range outputs;              ///< rows of the gradient
  Range inputs;               ///< columns of the gradient
  float* gradient = nullptr;  ///< element (0, 0) of the whole gradient
  Index gradient_stride = 0;
  bool accumulate = false;   ///< add to what is there, or overwrite it
  float* scratch = nullptr;  ///< weight_gradient_scratch_size() floats, 64-byte aligned
};

/// An input row in pieces of `size` floats, the last of them perhaps shorter: each begins `stride` floats after the one
/// before it.
struct Segments {
  Index size = 0;  ///< 0: the row is one piece
  Index stride = 0;
};

struct PointwiseKernels {
  Index lanes;      ///< floats per vector: weights are padded to a multiple of it, see panels.h
  Index tile_rows;  ///< rows that a register tile covers

  /// The output channels of some panels, for some rows.
  void (*run)(const PointwiseArgs& args, const Segments& segments, Range rows, Range panels);
};

/// A table of its own, so that programs that only run networks need not link it.
struct PointwiseGradientKernels {
  Index lanes;

  /// args.weight_gradient is not used: the block says where the sums go.
  void (*weight_gradient)(const PointwiseWeightGradientArgs& args, const WeightGradientBlock& block);
};

#define LINNET_VARIANT(isa)                                         \
  namespace isa {                                                   \
  extern const PointwiseKernels pointwise_kernels;                  \
  extern const PointwiseGradientKernels pointwise_gradient_kernels; \
  }
#include "kernels/pointwise/variants.inc"

std::span<const Variant<PointwiseKernels>> pointwise_variants();
std::span<const Variant<PointwiseGradientKernels>> pointwise_gradient_variants();

/// Those in use.
const PointwiseKernels& pointwise_kernels();
const PointwiseGradientKernels& pointwise_gradient_kernels();

/// Packing for a given instruction set.
std::size_t pointwise_packed_size(const PointwiseKernels& kernels, Index in_channels, Index out_channels);
void pointwise_pack(const PointwiseKernels& kernels, const float* weights, Index out_stride, Index in_stride,
                    Index in_channels, Index out_channels, float* packed, const float* out_scale = nullptr);

/// Floats of scratch for a block with so many rows of the gradient.
std::size_t weight_gradient_scratch_size(const PointwiseGradientKernels& kernels, Index outputs);

}  // namespace linnet::kernels
