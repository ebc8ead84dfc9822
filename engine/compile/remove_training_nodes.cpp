#include "engine/compile/pass.h"
#include "engine/compile/rewrite.h"

namespace linnet::compiler {

Network remove_training_nodes(Network network) {
  for (std::size_t i = 0; i < network.graph.nodes.size(); ++i) {
    const Op& op = network.graph.nodes[i].op;
    if (std::holds_alternative<op::Dropout>(op) || std::holds_alternative<op::DropPath>(op)) {
      bypass(network.graph, static_cast<int>(i));
    }
  }
  remove_dead_nodes(network);
  return network;
}

}  // namespace linnet::compiler
