// From nodes to steps with places: which tensors share memory, and where everything lies.
#pragma once

#include "engine/compile/plan.h"
#include "engine/compile/step_groups.h"

namespace linnet::compiler {

struct Batch {
  Index size = 1;
  int split = 0;  ///< the first node that a step takes the whole batch for (split_batch.h)
};

/// Fills in a plan whose name and threads are set. The graph has been through the passes. Nodes of one of these groups
/// become one step.
void lower(const Network& network, Batch batch, const std::vector<StepGroup>& groups, Plan::Implementation& plan);

}  // namespace linnet::compiler
