// From nodes to steps with places: which tensors share memory, and where everything lies.
#pragma once

#include "engine/compile/blocks.h"
#include "engine/compile/plan.h"

namespace linnet::compiler {

/// Fills in a plan whose name and threads are set. The graph has been through the passes. Nodes of one of these blocks
/// become one step.
void lower(const Model& model, Index batch, const std::vector<InvertedResidualBlock>& blocks,
           Plan::Implementation& plan);

}  // namespace linnet::compiler
