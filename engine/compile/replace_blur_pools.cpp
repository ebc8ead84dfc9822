#include "engine/blur_filter.h"
#include "engine/compile/pass.h"

namespace linnet::compiler {

Network replace_blur_pools(Network network) {
  for (Node& node : network.graph.nodes) {
    if (!std::holds_alternative<op::BlurPool>(node.op)) continue;
    const Index channels = node.shape.back();
    node.op = blur_convolution(channels);
    network.weights[node.name + ".weight"] = blur_filter(channels);
  }
  return network;
}

}  // namespace linnet::compiler
