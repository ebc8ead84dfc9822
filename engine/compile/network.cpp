#include "engine/compile/network.h"

#include "linnet/error.h"

namespace linnet::compiler {

const Tensor& weight_of(const Network& network, const Node& node, const char* suffix) {
  const auto found = network.weights.find(node.name + "." + suffix);
  if (found == network.weights.end()) throw Error(std::string("compile: no weight ") + node.name + "." + suffix);
  return found->second;
}

LayerWeights layer_weights(const Network& network, const Node& node) {
  LayerWeights layer{weight_of(network, node, "weight"), {}, {}};
  const auto scale = network.row_scales.find(node.name + ".weight");
  if (scale != network.row_scales.end()) layer.row_scale = scale->second;
  const auto* conv = std::get_if<op::Conv2d>(&node.op);
  if (conv != nullptr ? conv->bias : std::get<op::Linear>(node.op).bias) layer.bias = weight_of(network, node, "bias");
  return layer;
}

Tensor scale_rows(const Tensor& values, const Tensor& row_scale) {
  if (row_scale.empty()) return values;
  Tensor scaled(values.shape());
  const Index rows = row_scale.size(), size = values.size() / rows;
  const float* from = values.data();
  float* to = scaled.data();
  for (Index row = 0; row < rows; ++row, from += size, to += size) {
    const float scale = row_scale.data()[row];
    for (Index i = 0; i < size; ++i) to[i] = from[i] * scale;
  }
  return scaled;
}

}  // namespace linnet::compiler
