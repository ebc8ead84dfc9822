// A depthwise convolution together with what stands before and behind it, for inference:
//
//   [pointwise expansion] -> depthwise -> [squeeze-and-excite] -> [pointwise projection [+ residual]]
//
// In place of the expansion there may be a dense convolution, the first one of a network.
//
// The expanded map is the largest tensor of such a block and is never stored as a whole: it is made in channel blocks,
// with its padding, in buffers that stay in the cache. Maps outside are dense NHWC. Nothing is aligned but
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

/// How a block is cut into pieces that fit the cache; made once for a shape, by the shape and the size of the cache
/// alone.
struct InvertedResidualPlan {
  InvertedResidualShape shape;
  /// by_rows: all channels of a row at a time, the rows under the kernel in a ring; what the depthwise convolution
  /// gives is projected row by row. For large maps of few channels.
  /// by_blocks: some channel blocks of the whole map at a time; the projection comes last. For small maps.
  bool by_rows = false;
  bool keeps_map = false;  ///< the depthwise convolution's whole output is kept: it is gated or projected afterwards
  Index lanes = 1;         ///< channels in a block
  Index blocks = 0;        ///< channel blocks
  Index ring = 0;          ///< rows of an expanded buffer
  Index row = 0;           ///< floats of a row of one block in it
  Index group = 0;         ///< blocks that are expanded and convolved together; the last group takes the rest
  Index groups = 1;
  /// by_blocks: where the pixels of the map go in a buffer with its padding.
  std::vector<std::int32_t> positions;

  // Floats of the workspace, in this order. The first three exist once per thread.
  Index expanded = 0;       ///< a piece of the expanded map
  Index stem_rows = 0;      ///< input rows under a row of the stem
  Index row_map = 0;        ///< by_rows: one row of the depthwise convolution's output
  Index map = 0;            ///< its whole output, for one image
  Index row_sums = 0;       ///< per row (by_rows) or not: sums for squeeze-and-excite
  Index gates = 0;          ///< means, squeezed channels, gates
  Index gated_weights = 0;  ///< the projection's weights times the gates, where they are fewer than the map's values

  Index per_thread() const { return expanded + stem_rows + row_map; }
};

/// cache_bytes: of the second-level cache of one core; 0: as this machine has it.
InvertedResidualPlan plan_inverted_residual(const InvertedResidualShape& shape, std::size_t cache_bytes = 0);

/// Whether the plan's shape can be computed. False for some with a stem, never for others.
bool fits(const InvertedResidualPlan& plan);

/// output = activation(weights * x + bias).
struct AffineWeights {
  const float* weights = nullptr;
  const float* bias = nullptr;  ///< or null, but for the depthwise convolution
  Activation activation = Activation::none;
};

struct InvertedResidualArgs {
  const float* input = nullptr;
  AffineWeights expand;            ///< from pointwise_pack
  AffineWeights depthwise;         ///< from depthwise_pack_blocks; bias [blocks][lanes]
  AffineWeights squeeze;           ///< [squeezed][channels]
  AffineWeights excite;            ///< [channels][squeezed]
  const float* project = nullptr;  ///< from pointwise_pack
  Epilogue epilogue;               ///< of the projection
  float* output = nullptr;
  float* workspace = nullptr;  ///< inverted_residual_workspace_size() floats
};

/// For pools of at most `threads` threads.
std::size_t inverted_residual_workspace_size(const InvertedResidualPlan& plan, int threads);

void inverted_residual(ThreadPool& pool, const InvertedResidualPlan& plan, const InvertedResidualArgs& args);

}  // namespace linnet::kernels
