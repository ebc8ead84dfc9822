#include "engine/compile/plain_steps.h"
#include "engine/compile/rewrite.h"
#include "engine/compile/step_groups.h"

namespace linnet::compiler {

void find_interleaves(const Graph& graph, const std::vector<bool>& taken, std::vector<StepGroup>& groups) {
  const Readers readers(graph);
  const auto is_free = [&](int node) { return !taken[static_cast<std::size_t>(node)]; };
  for (int shuffle = 1; shuffle < static_cast<int>(graph.nodes.size()); ++shuffle) {
    const auto* op = op_at<op::ChannelShuffle>(graph, shuffle);
    if (op == nullptr || op->groups != 2 || !is_free(shuffle)) continue;
    const int concat = node_at(graph, shuffle).inputs[0];
    if (op_at<op::Concat>(graph, concat) == nullptr || readers.only(concat) != shuffle || !is_free(concat)) continue;
    std::vector<int> inputs = node_at(graph, concat).inputs;
    const auto channels = [&](int node) { return node_at(graph, node).shape.back(); };
    if (inputs.size() != 2 || channels(inputs[0]) != channels(inputs[1])) continue;

    const InterleaveOperand second{0, channels(inputs[1])};
    InterleaveOperand first{0, channels(inputs[0])};
    StepGroup group{.nodes = {concat, shuffle}, .inputs = {}, .make = {}};
    const auto* slice = op_at<op::SliceChannels>(graph, inputs[0]);
    if (slice != nullptr && readers.of(inputs[0]).size() == 1 && is_free(inputs[0])) {
      group.nodes.insert(group.nodes.begin(), inputs[0]);
      inputs[0] = node_at(graph, inputs[0]).inputs[0];
      first = {slice->begin, channels(inputs[0])};
    }
    group.inputs = inputs;
    group.make = [shape = node_at(graph, shuffle).shape, first, second](const StepSource& source) {
      return make_interleave_step(source.batch * element_count(shape) / shape.back(), shape.back() / 2, first, second);
    };
    groups.push_back(std::move(group));
  }
}

}  // namespace linnet::compiler
