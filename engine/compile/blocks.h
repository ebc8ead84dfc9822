// Which nodes run as one step.
#pragma once

#include <vector>

#include "linnet/graph.h"

namespace linnet::compiler {

/// [expansion] -> depthwise convolution -> [squeeze-and-excite] -> [projection], the block of MobileNetV2 and of most
/// networks after it. Nodes that are missing are -1.
struct InvertedResidualBlock {
  int expand = -1;
  int depthwise = -1;
  int pool = -1, squeeze = -1, excite = -1, scale = -1;  ///< all of them or none
  int project = -1;

  int first() const { return expand >= 0 ? expand : depthwise; }
  int last() const { return project >= 0 ? project : depthwise; }
  std::vector<int> nodes() const;
};

/// The blocks of a graph that has been through the passes. Nothing outside a block reads a node inside but its last.
std::vector<InvertedResidualBlock> find_inverted_residuals(const Graph& graph);

}  // namespace linnet::compiler
