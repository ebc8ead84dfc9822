#include "engine/compile/blocks.h"

#include <algorithm>

#include "engine/compile/conv_steps.h"
#include "engine/compile/rewrite.h"
#include "kernels/depthwise/depthwise.h"

namespace linnet::compiler {
namespace {

/// Nodes by who reads them; -1: whoever gets the network's outputs.
class Readers {
 public:
  explicit Readers(const Graph& graph) : graph_(graph), readers_(graph.nodes.size()) {
    for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
      for (const int input : graph.nodes[node].inputs) {
        readers_[static_cast<std::size_t>(input)].push_back(static_cast<int>(node));
      }
    }
    for (const int output : graph.output_nodes()) readers_[static_cast<std::size_t>(output)].push_back(-1);
  }

  const std::vector<int>& of(int node) const { return readers_[static_cast<std::size_t>(node)]; }
  /// The only reader, or -1 if there are others or it is no node.
  int only(int node) const { return of(node).size() == 1 ? of(node).front() : -1; }

  template <class Candidate>
  const Candidate* op(int node) const {
    return node < 0 ? nullptr : std::get_if<Candidate>(&node_at(graph_, node).op);
  }

 private:
  const Graph& graph_;
  std::vector<std::vector<int>> readers_;
};

bool is_pointwise(const op::Conv2d* conv) {
  return conv != nullptr && conv->kernel == 1 && conv->stride == 1 && conv->groups == 1 &&
         conv->padding.rule == Padding::Rule::symmetric && conv->padding.amount == 0;
}

bool is_depthwise(const Graph& graph, int node) {
  const auto* conv = std::get_if<op::Conv2d>(&node_at(graph, node).op);
  if (conv == nullptr || conv->kernel == 1 || conv->residual) return false;
  const Shape& input = node_at(graph, node_at(graph, node).inputs[0]).shape;
  return conv->groups == input.back() && conv->groups == conv->out_channels &&
         kernels::depthwise_is_specialised(conv_window(*conv, input, node_at(graph, node).shape, 1));
}

/// pool -> squeeze -> excite -> scale behind the depthwise convolution, if that is what reads it.
void find_squeeze_excite(const Graph& graph, const Readers& readers, InvertedResidualBlock& block) {
  const std::vector<int>& users = readers.of(block.depthwise);
  if (users.size() != 2) return;
  const auto is_pool = [&](int node) { return readers.op<op::GlobalAveragePool>(node) != nullptr; };
  const auto pool = std::find_if(users.begin(), users.end(), is_pool);
  if (pool == users.end()) return;
  const int squeeze = readers.only(*pool);
  if (!is_pointwise(readers.op<op::Conv2d>(squeeze))) return;
  const int excite = readers.only(squeeze);
  if (!is_pointwise(readers.op<op::Conv2d>(excite))) return;
  const int scale = readers.only(excite);
  if (readers.op<op::ScaleChannels>(scale) == nullptr) return;
  if (node_at(graph, scale).inputs != std::vector<int>{block.depthwise, excite}) return;
  const auto plain = [&](int node) { return !readers.op<op::Conv2d>(node)->residual; };
  if (!plain(squeeze) || !plain(excite) || !is_pointwise(readers.op<op::Conv2d>(readers.only(scale)))) return;
  block.pool = *pool;
  block.squeeze = squeeze;
  block.excite = excite;
  block.scale = scale;
}

}  // namespace

std::vector<int> InvertedResidualBlock::nodes() const {
  std::vector<int> all;
  for (const int node : {expand, depthwise, pool, squeeze, excite, scale, project}) {
    if (node >= 0) all.push_back(node);
  }
  return all;
}

std::vector<InvertedResidualBlock> find_inverted_residuals(const Graph& graph) {
  const Readers readers(graph);
  std::vector<InvertedResidualBlock> blocks;
  std::vector<bool> taken(graph.nodes.size());
  for (int node = 1; node < static_cast<int>(graph.nodes.size()); ++node) {
    if (!is_depthwise(graph, node)) continue;
    InvertedResidualBlock block;
    block.depthwise = node;
    const int before = node_at(graph, node).inputs[0];
    const auto* expansion = readers.op<op::Conv2d>(before);
    if (is_pointwise(expansion) && !expansion->residual && readers.only(before) == node &&
        !taken[static_cast<std::size_t>(before)]) {
      block.expand = before;
    }
    find_squeeze_excite(graph, readers, block);
    const int behind = readers.only(block.scale >= 0 ? block.scale : node);
    if (is_pointwise(readers.op<op::Conv2d>(behind)) &&
        node_at(graph, behind).inputs[0] == (block.scale >= 0 ? block.scale : node)) {
      block.project = behind;
    }
    for (const int member : block.nodes()) taken[static_cast<std::size_t>(member)] = true;
    blocks.push_back(block);
  }
  return blocks;
}

}  // namespace linnet::compiler
