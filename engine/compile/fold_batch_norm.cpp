#include "engine/compile/pass.h"
#include "engine/compile/rewrite.h"

namespace linnet::compiler {
namespace {

bool is_plain(const Node& node) {
  if (const auto* conv = std::get_if<op::Conv2d>(&node.op)) {
    return conv->activation == Activation::none && !conv->residual;
  }
  if (const auto* linear = std::get_if<op::Linear>(&node.op)) return linear->activation == Activation::none;
  return false;
}

bool& has_bias(Op& op) {
  return std::holds_alternative<op::Conv2d>(op) ? std::get<op::Conv2d>(op).bias : std::get<op::Linear>(op).bias;
}

/// Weights have the output channels outermost, so each row is scaled. The model's own tensors are left as they are.
void scale_weights(Network& network, Node& layer, const Affine& affine) {
  const LayerWeights before = layer_weights(network, layer);
  network.row_scales[layer.name + ".weight"] = scale_rows(affine.scale, before.row_scale);
  Tensor bias = affine.shift;
  if (!before.bias.empty()) {
    const Tensor scaled = scale_rows(before.bias, affine.scale);
    for (Index o = 0; o < bias.size(); ++o) bias.data()[o] += scaled.data()[o];
  }
  has_bias(layer.op) = true;
  network.weights[layer.name + ".bias"] = bias;
}

op::Conv2d depthwise_of_channels(Index channels) {
  op::Conv2d conv;
  conv.out_channels = channels;
  conv.groups = channels;
  conv.bias = true;
  return conv;
}

}  // namespace

Network fold_batch_norm(Network network) {
  Graph& graph = network.graph;
  const std::vector<int> readers = count_readers(graph);
  for (Node& norm : graph.nodes) {
    if (!is_affine(norm.op)) continue;
    const Affine affine = affine_of(network, norm);
    const int source = norm.inputs.front();
    if (readers[static_cast<std::size_t>(source)] == 1 && is_plain(node_at(graph, source))) {
      scale_weights(network, node_at(graph, source), affine);
      norm = node_at(graph, source);
    } else if (norm.shape.size() == 3) {
      const Index channels = norm.shape.back();
      norm.op = depthwise_of_channels(channels);
      network.weights[norm.name + ".weight"] = affine.scale.reshaped({channels, 1, 1, 1});
      network.weights[norm.name + ".bias"] = affine.shift;
    }
  }
  remove_dead_nodes(network);
  return network;
}

}  // namespace linnet::compiler
