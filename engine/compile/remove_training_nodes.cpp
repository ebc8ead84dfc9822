#include "engine/compile/pass.h"
#include "engine/compile/rewrite.h"

namespace linnet::compiler {

Model remove_training_nodes(Model model) {
  for (std::size_t i = 0; i < model.graph.nodes.size(); ++i) {
    const Op& op = model.graph.nodes[i].op;
    if (std::holds_alternative<op::Dropout>(op) || std::holds_alternative<op::DropPath>(op)) {
      bypass(model.graph, static_cast<int>(i));
    }
  }
  remove_dead_nodes(model);
  return model;
}

}  // namespace linnet::compiler
