// A drawing of a network, for Graphviz.
#pragma once

#include <string>

#include "linnet/graph.h"

namespace linnet::tools {

/// Text in the DOT language. Blocks ("blocks.2.0") are framed; batch norms, activations and the like stand in the box
/// of the layer that they follow. Tensors are labelled with their shapes where those change.
std::string to_dot(const Graph& graph);

}  // namespace linnet::tools
