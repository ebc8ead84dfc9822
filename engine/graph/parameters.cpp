// The parameters that ops own, in state-dict order.
#include "linnet/graph.h"

namespace linnet {

namespace {

void append_parameters(const Graph& graph, int index, std::vector<Parameter>& list) {
  const Node& node = graph.nodes[static_cast<std::size_t>(index)];
  const auto append = [&](const char* suffix, Shape shape, ParameterRole role) {
    list.push_back({node.name + suffix, std::move(shape), role, index});
  };
  if (node.inputs.empty()) return;
  const Index channels = graph.nodes[static_cast<std::size_t>(node.inputs[0])].shape.back();

  if (const auto* conv = std::get_if<op::Conv2d>(&node.op)) {
    append(".weight", {conv->out_channels, channels / conv->groups, conv->kernel, conv->kernel}, ParameterRole::weight);
    if (conv->bias) append(".bias", {conv->out_channels}, ParameterRole::bias);
  } else if (const auto* linear = std::get_if<op::Linear>(&node.op)) {
    append(".weight", {linear->out_features, channels}, ParameterRole::weight);
    if (linear->bias) append(".bias", {linear->out_features}, ParameterRole::bias);
  } else if (std::holds_alternative<op::BatchNorm>(node.op)) {
    append(".weight", {channels}, ParameterRole::gamma);
    append(".bias", {channels}, ParameterRole::beta);
    append(".running_mean", {channels}, ParameterRole::running_mean);
    append(".running_var", {channels}, ParameterRole::running_var);
    append(".num_batches_tracked", {}, ParameterRole::counter);
  } else if (std::holds_alternative<op::LayerScale>(node.op)) {
    append(".gamma", {channels}, ParameterRole::layer_scale);
  }
}

}  // namespace

bool is_learnable(ParameterRole role) {
  return role == ParameterRole::weight || role == ParameterRole::bias || role == ParameterRole::gamma ||
         role == ParameterRole::beta || role == ParameterRole::layer_scale;
}

std::vector<Parameter> parameters(const Graph& graph, int node) {
  std::vector<Parameter> list;
  append_parameters(graph, node, list);
  return list;
}

std::vector<Parameter> parameters(const Graph& graph) {
  std::vector<Parameter> list;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) append_parameters(graph, static_cast<int>(i), list);
  return list;
}

}  // namespace linnet
