// How far the pictures of a batch go through the network one by one.
#pragma once

#include <vector>

#include "engine/compile/step_groups.h"

namespace linnet::compiler {

/// The node from which on a step takes the whole batch; steps whose last node comes before it run on one picture after
/// the other. Early maps are large: those of one picture stay in the cache from step to step, those of a batch do not.
/// Late weights are large: a batch reads them once. The cut is where the fewest bytes come from beyond the cache.
int find_batch_split(const Network& network, const std::vector<StepGroup>& groups);

}  // namespace linnet::compiler
