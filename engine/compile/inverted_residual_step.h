// The step for a block of nodes around a depthwise convolution.
#pragma once

#include "engine/compile/blocks.h"
#include "engine/compile/step.h"

namespace linnet::compiler {

/// Its inputs are the block's input and, if the projection adds one, the residual.
std::unique_ptr<Step> make_inverted_residual_step(const Model& model, const InvertedResidualBlock& block, Index batch);

/// Node indices of these inputs.
std::vector<int> inputs_of(const Graph& graph, const InvertedResidualBlock& block);

}  // namespace linnet::compiler
