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
void scale_weights(Model& model, Node& layer, const Affine& affine) {
  Tensor weight = weight_of(model, layer, "weight").clone();
  Tensor bias = affine.shift;
  const Index outputs = affine.scale.size();
  const Index row = weight.size() / outputs;
  for (Index o = 0; o < outputs; ++o) {
    const float scale = affine.scale.data()[o];
    for (Index i = 0; i < row; ++i) weight.data()[o * row + i] *= scale;
    if (has_bias(layer.op)) bias.data()[o] += weight_of(model, layer, "bias").data()[o] * scale;
  }
  has_bias(layer.op) = true;
  model.weights[layer.name + ".weight"] = weight;
  model.weights[layer.name + ".bias"] = bias;
}

op::Conv2d depthwise_of_channels(Index channels) {
  op::Conv2d conv;
  conv.out_channels = channels;
  conv.groups = channels;
  conv.bias = true;
  return conv;
}

}  // namespace

Model fold_batch_norm(Model model) {
  Graph& graph = model.graph;
  const std::vector<int> readers = count_readers(graph);
  for (Node& norm : graph.nodes) {
    if (!is_affine(norm.op)) continue;
    const Affine affine = affine_of(model, norm);
    const int source = norm.inputs.front();
    if (readers[static_cast<std::size_t>(source)] == 1 && is_plain(node_at(graph, source))) {
      scale_weights(model, node_at(graph, source), affine);
      norm = node_at(graph, source);
    } else if (norm.shape.size() == 3) {
      const Index channels = norm.shape.back();
      norm.op = depthwise_of_channels(channels);
      model.weights[norm.name + ".weight"] = affine.scale.reshaped({channels, 1, 1, 1});
      model.weights[norm.name + ".bias"] = affine.shift;
    }
  }
  remove_dead_nodes(model);
  return model;
}

}  // namespace linnet::compiler
