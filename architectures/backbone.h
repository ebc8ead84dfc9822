// A network without its head: feature maps as outputs.
#pragma once

#include <vector>

#include "linnet/graph.h"

namespace linnet::architectures {

/// For each stride the last of `features` (nodes, in order) whose map is the input reduced by it; these become the
/// outputs. Throws linnet::Error for a stride that none has, with those that there are.
Graph backbone(Graph graph, const std::vector<int>& features, const std::vector<Index>& strides);

}  // namespace linnet::architectures
