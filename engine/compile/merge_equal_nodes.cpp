#include <map>

#include "engine/compile/pass.h"
#include "engine/compile/rewrite.h"

namespace linnet::compiler {

Network merge_equal_nodes(Network network) {
  Graph& graph = network.graph;
  std::vector<bool> has_parameters(graph.nodes.size());
  for (const Parameter& parameter : parameters(graph)) has_parameters[static_cast<std::size_t>(parameter.node)] = true;

  std::vector<int> same(graph.nodes.size());  // for each node the one that takes its place
  std::map<std::vector<int>, std::vector<int>> nodes_by_inputs;
  for (int index = 0; index < static_cast<int>(graph.nodes.size()); ++index) {
    Node& node = node_at(graph, index);
    for (int& input : node.inputs) input = same[static_cast<std::size_t>(input)];
    same[static_cast<std::size_t>(index)] = index;
    if (node.inputs.empty() || has_parameters[static_cast<std::size_t>(index)]) continue;
    std::vector<int>& siblings = nodes_by_inputs[node.inputs];
    for (const int sibling : siblings) {
      if (node_at(graph, sibling).op == node.op) same[static_cast<std::size_t>(index)] = sibling;
    }
    if (same[static_cast<std::size_t>(index)] == index) siblings.push_back(index);
  }
  graph.outputs = graph.output_nodes();
  for (int& output : graph.outputs) output = same[static_cast<std::size_t>(output)];
  remove_dead_nodes(network);
  return network;
}

}  // namespace linnet::compiler
