#include "engine/compile/pass.h"
#include "engine/compile/rewrite.h"

namespace linnet::compiler {
namespace {

/// The field of an op that can apply an activation to its output, if it applies none so far.
Activation* free_activation(Op& op) {
  Activation* field = nullptr;
  if (auto* conv = std::get_if<op::Conv2d>(&op)) field = &conv->activation;
  if (auto* linear = std::get_if<op::Linear>(&op)) field = &linear->activation;
  if (auto* add = std::get_if<op::Add>(&op)) field = &add->activation;
  return field != nullptr && *field == Activation::none ? field : nullptr;
}

}  // namespace

Network fuse_activation(Network network) {
  Graph& graph = network.graph;
  const std::vector<int> readers = count_readers(graph);
  for (Node& node : graph.nodes) {
    const auto* activate = std::get_if<op::Activate>(&node.op);
    if (activate == nullptr) continue;
    const int source = node.inputs.front();
    Activation* field = free_activation(node_at(graph, source).op);
    if (field == nullptr || readers[static_cast<std::size_t>(source)] != 1) continue;
    *field = activate->activation;
    node = node_at(graph, source);
  }
  remove_dead_nodes(network);
  return network;
}

}  // namespace linnet::compiler
