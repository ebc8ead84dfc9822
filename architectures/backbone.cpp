#include "architectures/backbone.h"

#include <map>
#include <string>

#include "linnet/error.h"

namespace linnet::architectures {

namespace {

Index stride_of(const Op& op) {
  return std::visit(
      [](const auto& held) -> Index {
        if constexpr (requires { held.stride; }) return held.stride;
        return 1;
      },
      op);
}

/// For each node how far the input is reduced there: the product of the strides on the way. Sizes do not tell, as
/// windows without padding and odd sizes lose pixels. Of several inputs the first has the size of the output (the query
/// of an attention, the map of a gate).
std::vector<Index> reductions_of(const Graph& graph) {
  std::vector<Index> reductions;
  for (const Node& node : graph.nodes) {
    const Index reduction = node.inputs.empty() ? 1 : reductions[static_cast<std::size_t>(node.inputs.front())];
    reductions.push_back(reduction * stride_of(node.op));
  }
  return reductions;
}

}  // namespace

Graph backbone(Graph graph, const std::vector<int>& features, const std::vector<Index>& strides) {
  const std::vector<Index> reductions = reductions_of(graph);
  std::map<Index, int> last;  // by reduction
  for (const int feature : features) last[reductions[static_cast<std::size_t>(feature)]] = feature;
  std::vector<int> outputs;
  for (const Index stride : strides) {
    const auto found = last.find(stride);
    if (found == last.end()) {
      std::string known;
      for (const auto& [reduction, feature] : last) known += (known.empty() ? "" : ", ") + std::to_string(reduction);
      throw Error("build \"" + graph.name + "\": expected feature strides among " + known + ", found " +
                  std::to_string(stride));
    }
    outputs.push_back(found->second);
  }
  return cut_to_outputs(std::move(graph), outputs);
}

}  // namespace linnet::architectures
