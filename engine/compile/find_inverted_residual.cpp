#include <algorithm>

#include "engine/compile/conv_steps.h"
#include "engine/compile/inverted_residual_step.h"
#include "engine/compile/rewrite.h"
#include "engine/compile/step_groups.h"
#include "kernels/depthwise/depthwise.h"

namespace linnet::compiler {
namespace {

bool is_pointwise(const op::Conv2d* conv) {
  return conv != nullptr && conv->kernel == 1 && conv->stride == 1 && conv->groups == 1 &&
         conv->padding.rule == Padding::Rule::symmetric && conv->padding.amount == 0;
}

/// `node` convolves the values of `source`; it may also be there to add them to something else.
bool is_projection(const Graph& graph, int node, int source) {
  return is_pointwise(op_at<op::Conv2d>(graph, node)) && node_at(graph, node).inputs[0] == source;
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
  const auto is_pool = [&](int node) { return op_at<op::GlobalAveragePool>(graph, node) != nullptr; };
  const auto pool = std::find_if(users.begin(), users.end(), is_pool);
  if (pool == users.end()) return;
  const int squeeze = readers.only(*pool);
  if (!is_pointwise(op_at<op::Conv2d>(graph, squeeze))) return;
  const int excite = readers.only(squeeze);
  if (!is_pointwise(op_at<op::Conv2d>(graph, excite))) return;
  const int scale = readers.only(excite);
  if (op_at<op::ScaleChannels>(graph, scale) == nullptr) return;
  if (node_at(graph, scale).inputs != std::vector<int>{block.depthwise, excite}) return;
  const auto plain = [&](int node) { return !op_at<op::Conv2d>(graph, node)->residual; };
  if (!plain(squeeze) || !plain(excite) || !is_projection(graph, readers.only(scale), scale)) return;
  block.pool = *pool;
  block.squeeze = squeeze;
  block.excite = excite;
  block.scale = scale;
}

/// The depthwise convolution alone reads a dense one, whose inputs are too few for a kernel of its own to be fast.
bool is_stem(const Graph& graph, const Readers& readers, const InvertedResidualBlock& block) {
  if (block.expand >= 0 || block.slice >= 0) return false;
  const int before = node_at(graph, block.depthwise).inputs[0];
  const auto* conv = op_at<op::Conv2d>(graph, before);
  constexpr Index few_inputs = 4;
  return conv != nullptr && conv->kernel > 1 && conv->groups == 1 && !conv->residual &&
         readers.only(before) == block.depthwise &&
         node_at(graph, node_at(graph, before).inputs[0]).shape.back() <= few_inputs;
}

/// Nodes of a block that exist, in topological order.
std::vector<int> nodes_of(const InvertedResidualBlock& block) {
  std::vector<int> nodes;
  for (const int node : {block.slice, block.expand, block.depthwise, block.pool, block.squeeze, block.excite,
                         block.scale, block.project}) {
    if (node >= 0) nodes.push_back(node);
  }
  return nodes;
}

std::vector<int> inputs_of(const Graph& graph, const InvertedResidualBlock& block) {
  std::vector<int> inputs{node_at(graph, nodes_of(block).front()).inputs[0]};
  if (block.project >= 0) {
    const std::vector<int>& of_projection = node_at(graph, block.project).inputs;
    inputs.insert(inputs.end(), of_projection.begin() + 1, of_projection.end());
  }
  return inputs;
}

}  // namespace

void find_inverted_residuals(const Graph& graph, const std::vector<bool>& taken, std::vector<StepGroup>& groups) {
  const Readers readers(graph);
  std::vector<bool> used = taken;
  const auto is_free = [&](int node) { return !used[static_cast<std::size_t>(node)]; };
  for (int node = 1; node < static_cast<int>(graph.nodes.size()); ++node) {
    if (!is_free(node) || !is_depthwise(graph, node)) continue;
    InvertedResidualBlock block;
    block.depthwise = node;
    int before = node_at(graph, node).inputs[0];
    const auto* expansion = op_at<op::Conv2d>(graph, before);
    if (is_pointwise(expansion) && !expansion->residual && readers.only(before) == node && is_free(before)) {
      block.expand = before;
      before = node_at(graph, before).inputs[0];
    }
    if (op_at<op::SliceChannels>(graph, before) != nullptr && readers.of(before).size() == 1 && is_free(before)) {
      block.slice = before;
    }
    find_squeeze_excite(graph, readers, block);
    const int end = block.scale >= 0 ? block.scale : node;
    if (is_projection(graph, readers.only(end), end)) block.project = readers.only(end);
    if (is_stem(graph, readers, block) && is_free(before)) {
      InvertedResidualBlock with_stem = block;
      with_stem.expand = before;
      if (fits(kernels::plan_inverted_residual(shape_of(graph, with_stem, 1)))) block = with_stem;
    }
    StepGroup group{.nodes = nodes_of(block), .inputs = inputs_of(graph, block), .make = {}};
    group.make = [block](const StepSource& source) { return make_inverted_residual_step(source, block); };
    for (const int member : group.nodes) used[static_cast<std::size_t>(member)] = true;
    groups.push_back(std::move(group));
  }
}

}  // namespace linnet::compiler
