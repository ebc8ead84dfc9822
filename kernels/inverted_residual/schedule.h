// How a block is cut into pieces that fit the cache: by its shape and the size of the cache alone.
#pragma once

#include "kernels/conv/convolution.h"
#include "kernels/inverted_residual/inverted_residual.h"

namespace linnet::kernels {

struct InvertedResidualSchedule {
  /// by_rows: all channels of a row at a time, the rows under the kernel in a ring; what the depthwise convolution
  /// gives is projected row by row. For large maps of few channels.
  /// by_blocks: some channel blocks of the whole map at a time; the projection comes last. For small maps.
  bool by_rows = false;
  Index lanes = 1;   ///< channels in a block
  Index blocks = 0;  ///< channel blocks
  Index ring = 0;    ///< rows of an expanded buffer
  Index row = 0;     ///< floats of a row of one block in it
  Index group = 0;   ///< blocks that are expanded and convolved together; the last group takes the rest
  Index groups = 1;
  bool keeps_map = false;  ///< the depthwise convolution's whole output is kept: it is gated or projected afterwards

  // Floats of the workspace, in this order. The first three exist once per thread.
  Index expanded = 0;   ///< a piece of the expanded map
  Index stem_rows = 0;  ///< input rows under a row of the stem
  Index row_map = 0;    ///< by_rows: one row of the depthwise convolution's output
  Index map = 0;        ///< its whole output, for one image
  Index row_sums = 0;   ///< per row (by_rows) or not: sums for squeeze-and-excite
  Index gates = 0;      ///< means, squeezed channels, gates
};

InvertedResidualSchedule schedule(const InvertedResidualShape& shape);

inline ConvolutionShape stem_shape(const InvertedResidualShape& shape) {
  return {shape.stem, 1, shape.in_channels, shape.channels};
}

}  // namespace linnet::kernels
