#include "engine/compile/split_batch.h"

#include "engine/compile/rewrite.h"

namespace linnet::compiler {

int find_batch_split(const Network& network, const std::vector<StepGroup>& groups) {
  const Graph& graph = network.graph;
  const int nodes = static_cast<int>(graph.nodes.size());
  std::vector<const StepGroup*> group_of_node(graph.nodes.size());
  for (const StepGroup& group : groups) {
    for (const int node : group.nodes) group_of_node[static_cast<std::size_t>(node)] = &group;
  }
  // Of cutting after each node, beside the costs of taking the whole batch all the way.
  Index cost = 0, least = 0;
  int split = 1;
  for (int index = 1; index < nodes; ++index) {
    const Node& node = node_at(graph, index);
    const auto weight = network.weights.find(node.name + ".weight");
    if (weight != network.weights.end()) cost += weight->second.size();
    const StepGroup* group = group_of_node[static_cast<std::size_t>(index)];
    if (renames_input(node.op) || (group != nullptr && group->last() != index)) continue;
    // What is written comes into the cache first: it counts twice.
    cost -= 2 * element_count(node.shape);
    for (const int input : group != nullptr ? group->inputs : node.inputs) {
      cost -= element_count(node_at(graph, input).shape);
    }
    if (cost < least) {
      least = cost;
      split = index + 1;
    }
  }
  return split;
}

}  // namespace linnet::compiler
