// A depthwise convolution together with what stands before and behind it, for inference:
//
//   [pointwise expansion] -> depthwise -> [squeeze-and-excite] -> [pointwise projection [+ residual]]
//
// In place of the expansion there may be a dense convolution, the first one of a network.
//
// The expanded map is the largest tensor of such a block and is never stored as a whole: it is made in channel blocks,
// with its padding, in buffers that stay in the cache (schedule.h). Maps outside are dense NHWC. Nothing is aligned but
// packed weights and the workspace (64 bytes); the output aliases no input, except that the projection's residual may
// be the output. Results do not depend on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/common/epilogue.h"
#include "kernels/common/window.h"
#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

struct InvertedResidualShape {
  Window window;           ///< of the depthwise convolution: depthwise_is_specialised
  Index in_channels = 0;   ///< of the input
  Index channels = 0;      ///< of the depthwise convolution; in_channels without expansion
  Index out_channels = 0;  ///< of the projection; 0: none, the output is what the depthwise convolution gives
  Index squeezed = 0;      ///< channels in the middle of squeeze-and-excite; 0: none. Needs a projection
  bool expands = false;    ///< by a pointwise convolution
  bool has_stem = false;   ///< by a dense one
  Window stem = {};        ///< its geometry, with the same batch; `window` is about its output
  Index input_stride = 0;  ///< floats from one pixel of the input to the next
};

/// Whether a shape with a stem can be computed. Others always can.
bool inverted_residual_fits(const InvertedResidualShape& shape);

/// output = activation(weights * x + bias).
struct AffineWeights {
  const float* weights = nullptr;
  const float* bias = nullptr;  ///< or null, but for the depthwise convolution
  Activation activation = Activation::none;
};

struct InvertedResidualArgs {
  InvertedResidualShape shape;
  const float* input = nullptr;
  AffineWeights expand;            ///< from pointwise_pack
  AffineWeights depthwise;         ///< from depthwise_pack_blocks; bias [blocks][lanes]
  AffineWeights squeeze;           ///< [squeezed][channels]
  AffineWeights excite;            ///< [channels][squeezed]
  const float* project = nullptr;  ///< from pointwise_pack
  Epilogue epilogue;               ///< of the projection
  float* output = nullptr;
  const std::int32_t* positions = nullptr;  ///< from inverted_residual_positions
  float* workspace = nullptr;               ///< inverted_residual_workspace_size() floats
};

/// For pools of at most `threads` threads.
std::size_t inverted_residual_workspace_size(const InvertedResidualShape& shape, int threads);

/// Where the pixels of a small map go in a buffer with its padding. Made once for a shape.
std::vector<std::int32_t> inverted_residual_positions(const InvertedResidualShape& shape);

void inverted_residual(ThreadPool& pool, const InvertedResidualArgs& args);

}  // namespace linnet::kernels
