#include "engine/compile/step_groups.h"

namespace linnet::compiler {

std::span<const GroupPass> group_passes() {
  static constexpr GroupPass table[] = {
      {"fuse_inverted_residual", find_inverted_residuals},
      {"fuse_interleave", find_interleaves},
      {"fuse_conv_concat", find_conv_concats},
  };
  return table;
}

Readers::Readers(const Graph& graph) : readers_(graph.nodes.size()) {
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    for (const int input : graph.nodes[node].inputs) {
      readers_[static_cast<std::size_t>(input)].push_back(static_cast<int>(node));
    }
  }
  for (const int output : graph.output_nodes()) readers_[static_cast<std::size_t>(output)].push_back(-1);
}

}  // namespace linnet::compiler
