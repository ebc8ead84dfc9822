#include "engine/compile/pass.h"
#include "engine/compile/rewrite.h"

namespace linnet::compiler {
namespace {

/// The node that activates what `concat` gives, if nothing else reads that; else -1.
int activation_behind(const Graph& graph, const std::vector<int>& readers, int concat) {
  if (!std::holds_alternative<op::Concat>(node_at(graph, concat).op)) return -1;
  if (readers[static_cast<std::size_t>(concat)] != 1) return -1;
  for (int node = concat + 1; node < static_cast<int>(graph.nodes.size()); ++node) {
    if (node_at(graph, node).inputs != std::vector<int>{concat}) continue;
    return std::holds_alternative<op::Activate>(node_at(graph, node).op) ? node : -1;
  }
  return -1;
}

}  // namespace

Network activate_before_concat(Network network) {
  const Graph before = std::move(network.graph);
  const std::vector<int> readers = count_readers(before);
  Graph& graph = network.graph = before;
  graph.nodes.clear();
  std::vector<int> moved(before.nodes.size());  // where each node is now
  const auto add = [&](Node node) {
    graph.nodes.push_back(std::move(node));
    return static_cast<int>(graph.nodes.size()) - 1;
  };
  std::vector<bool> is_done(before.nodes.size());
  for (int index = 0; index < static_cast<int>(before.nodes.size()); ++index) {
    if (is_done[static_cast<std::size_t>(index)]) continue;
    Node node = node_at(before, index);
    for (int& input : node.inputs) input = moved[static_cast<std::size_t>(input)];
    const int activation = activation_behind(before, readers, index);
    if (activation >= 0) {
      const Node& activate = node_at(before, activation);
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        int& input = node.inputs[i];
        input = add({activate.name + "." + std::to_string(i), activate.op, {input}, node_at(graph, input).shape});
      }
      node.name = activate.name;
      is_done[static_cast<std::size_t>(activation)] = true;
    }
    const int place = add(std::move(node));
    moved[static_cast<std::size_t>(index)] = place;
    if (activation >= 0) moved[static_cast<std::size_t>(activation)] = place;
  }
  graph.outputs = before.output_nodes();
  for (int& output : graph.outputs) output = moved[static_cast<std::size_t>(output)];
  return network;
}

}  // namespace linnet::compiler
