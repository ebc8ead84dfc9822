// The step for the nodes around a depthwise convolution.
#pragma once

#include "engine/compile/step.h"

namespace linnet::compiler {

/// Nodes that are missing are -1.
struct InvertedResidualBlock {
  int slice = -1;
  int expand = -1;
  int depthwise = -1;
  int pool = -1, squeeze = -1, excite = -1, scale = -1;  ///< all of them or none
  int project = -1;
};

/// Its inputs are the block's input and, if the projection adds one, the residual.
std::unique_ptr<Step> make_inverted_residual_step(const Model& model, const InvertedResidualBlock& block, Index batch);

}  // namespace linnet::compiler
