// Weights as the kernels of this instruction set read them.
#pragma once

#include "engine/compile/weight_memory.h"

namespace linnet::compiler {

/// [outputs][inputs][1][1], for kernels::pointwise.
PackedWeights pack_pointwise(WeightMemory& memory, const LayerWeights& layer);

/// [channels][1][height][width], for kernels::depthwise.
PackedWeights pack_depthwise(WeightMemory& memory, const LayerWeights& layer);

/// The same with channels in blocks of a vector, for kernels::inverted_residual.
PackedWeights pack_depthwise_blocks(WeightMemory& memory, const LayerWeights& layer);

/// [outputs][inputs][height][width], for kernels::conv.
PackedWeights pack_dense(WeightMemory& memory, const LayerWeights& layer);

/// [outputs][inputs][3][3], for kernels::winograd.
PackedWeights pack_winograd(WeightMemory& memory, const LayerWeights& layer);

/// [outputs][inputs / groups][height][width], for kernels::grouped.
PackedWeights pack_grouped(WeightMemory& memory, const LayerWeights& layer, Index groups);

}  // namespace linnet::compiler
