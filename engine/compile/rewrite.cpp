#include "engine/compile/rewrite.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace linnet::compiler {

std::vector<int> count_readers(const Graph& graph) {
  std::vector<int> readers(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    for (const int input : node.inputs) ++readers[static_cast<std::size_t>(input)];
  }
  for (const int output : graph.output_nodes()) ++readers[static_cast<std::size_t>(output)];
  return readers;
}

void bypass(Graph& graph, int node) {
  const int source = node_at(graph, node).inputs.front();
  for (Node& reader : graph.nodes) std::replace(reader.inputs.begin(), reader.inputs.end(), node, source);
  graph.outputs = graph.output_nodes();
  std::replace(graph.outputs.begin(), graph.outputs.end(), node, source);
}

void remove_dead_nodes(Network& network) {
  const std::vector<int> outputs = network.graph.output_nodes();
  network.graph = cut_to_outputs(std::move(network.graph), outputs);
  std::set<std::string> owned;
  for (Parameter& parameter : parameters(network.graph)) owned.insert(std::move(parameter.name));
  const auto is_dead = [&](const auto& entry) { return !owned.contains(entry.first); };
  std::erase_if(network.weights, is_dead);
  std::erase_if(network.row_scales, is_dead);
}

bool is_affine(const Op& op) {
  return std::holds_alternative<op::BatchNorm>(op) || std::holds_alternative<op::LayerScale>(op);
}

Affine affine_of(const Network& network, const Node& node) {
  if (std::holds_alternative<op::LayerScale>(node.op)) {
    const Tensor& gamma = weight_of(network, node, "gamma");
    return {gamma, Tensor::zeros(gamma.shape())};
  }
  const float* gamma = weight_of(network, node, "weight").data();
  const float* beta = weight_of(network, node, "bias").data();
  const float* mean = weight_of(network, node, "running_mean").data();
  const float* variance = weight_of(network, node, "running_var").data();
  const double epsilon = std::get<op::BatchNorm>(node.op).epsilon;
  const Index channels = node.shape.back();
  Affine affine{Tensor(Shape{channels}), Tensor(Shape{channels})};
  for (Index c = 0; c < channels; ++c) {
    const double scale = gamma[c] / std::sqrt(variance[c] + epsilon);
    affine.scale.data()[c] = static_cast<float>(scale);
    affine.shift.data()[c] = static_cast<float>(beta[c] - mean[c] * scale);
  }
  return affine;
}

}  // namespace linnet::compiler
