#include <algorithm>

#include "engine/compile/pass.h"
#include "engine/compile/rewrite.h"

namespace linnet::compiler {
namespace {

bool can_add(const Node& node) {
  const auto* conv = std::get_if<op::Conv2d>(&node.op);
  if (conv == nullptr || conv->residual || conv->activation != Activation::none) return false;
  // A depthwise convolution is a pass over memory, as the sum is; there is nothing to hide the sum in.
  return conv->groups < conv->out_channels;
}

}  // namespace

Network fuse_residual(Network network) {
  Graph& graph = network.graph;
  const std::vector<int> readers = count_readers(graph);
  for (Node& node : graph.nodes) {
    const auto* add = std::get_if<op::Add>(&node.op);
    if (add == nullptr) continue;
    // The later summand first: it then runs where it did, while an earlier one is put off until the other is there.
    const int earlier = std::min(node.inputs[0], node.inputs[1]);
    const int later = std::max(node.inputs[0], node.inputs[1]);
    for (const int source : {later, earlier}) {
      if (readers[static_cast<std::size_t>(source)] != 1 || !can_add(node_at(graph, source))) continue;
      const int residual = source == later ? earlier : later;
      const Activation activation = add->activation;
      node = node_at(graph, source);
      node.inputs.push_back(residual);
      auto& conv = std::get<op::Conv2d>(node.op);
      conv.residual = true;
      conv.activation = activation;
      break;
    }
  }
  remove_dead_nodes(network);
  return network;
}

}  // namespace linnet::compiler
