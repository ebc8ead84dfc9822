#include "linnet/summary.h"

#include <limits>

namespace linnet {

namespace {

/// Sum that stays at the largest value: graphs from files may be absurd, and must not be undefined behaviour.
void accumulate(std::int64_t& total, std::int64_t value) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  total = total > most - value ? most : total + value;
}

std::int64_t elements(const Shape& shape) {
  std::int64_t count = 1;
  for (const Index extent : shape) count *= extent;
  return count;
}

/// Every value of a convolution's or linear layer's output takes one multiply-add per weight of its output channel;
/// every value of an attention's output takes two per key.
std::int64_t multiply_adds(const Graph& graph, const Node& node, const std::vector<Parameter>& parameters) {
  const Op& op = node.op;
  const Shape& output = node.shape;
  if (std::holds_alternative<op::MultiQueryAttention>(op)) {
    const Shape& key = graph.nodes[static_cast<std::size_t>(node.inputs[1])].shape;
    return 2 * elements(output) * key[0] * key[1];
  }
  if (!std::holds_alternative<op::Conv2d>(op) && !std::holds_alternative<op::Linear>(op)) return 0;
  const Shape& weight = parameters.front().shape;
  return elements(output) * (elements(weight) / weight.front());
}

}  // namespace

Summary summary(const Graph& graph) {
  Summary total;
  total.layers.reserve(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const std::vector<Parameter> list = parameters(graph, static_cast<int>(i));
    LayerSummary layer{.name = node.name, .op = op_name(node.op), .shape = node.shape};
    for (const Parameter& parameter : list) {
      ++layer.tensors;
      if (is_learnable(parameter.role)) {
        layer.parameters += elements(parameter.shape);
      } else if (parameter.role != ParameterRole::counter) {
        layer.run_stats += elements(parameter.shape);
      }
    }
    layer.macs = multiply_adds(graph, node, list);
    layer.activation_bytes = elements(node.shape) * std::int64_t{sizeof(float)};
    accumulate(total.parameters, layer.parameters);
    accumulate(total.run_stats, layer.run_stats);
    accumulate(total.tensors, layer.tensors);
    accumulate(total.macs, layer.macs);
    accumulate(total.activation_bytes, layer.activation_bytes);
    total.layers.push_back(std::move(layer));
  }
  return total;
}

}  // namespace linnet
