// The step for the nodes around a depthwise convolution.
#pragma once

#include "engine/compile/step.h"
#include "kernels/inverted_residual/inverted_residual.h"

namespace linnet::compiler {

/// Nodes that are missing are -1.
struct InvertedResidualBlock {
  int slice = -1;
  int expand = -1;  ///< a pointwise convolution, or a dense one before that nothing can be sliced
  int depthwise = -1;
  int pool = -1, squeeze = -1, excite = -1, scale = -1;  ///< all of them or none
  int project = -1;
};

kernels::InvertedResidualShape shape_of(const Graph& graph, const InvertedResidualBlock& block, Index batch);

/// Its inputs are the block's input and, if the projection adds one, the residual.
std::unique_ptr<Step> make_inverted_residual_step(const StepSource& source, const InvertedResidualBlock& block);

}  // namespace linnet::compiler
