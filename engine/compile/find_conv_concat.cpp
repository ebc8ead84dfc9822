#include <algorithm>

#include "engine/compile/conv_steps.h"
#include "engine/compile/rewrite.h"
#include "engine/compile/step_groups.h"

namespace linnet::compiler {
namespace {

/// Convolutions that write their channels into one tensor, one after the other.
class ConvConcatStep final : public Step {
 public:
  ConvConcatStep(const StepSource& source, const std::vector<int>& convs) {
    Index channels = 0;
    for (const int conv : convs) {
      offsets_.push_back(channels);
      channels += node_at(source.graph(), conv).shape.back();
    }
    for (const int conv : convs) parts_.push_back(make_conv_step(source, conv, channels));
  }

  const char* kernel() const override { return "conv_concat"; }
  Isa isa() const override { return parts_.front()->isa(); }
  std::string tiling() const override {
    std::string text;
    for (const auto& part : parts_) text += (text.empty() ? "" : " | ") + (part->kernel() + (" " + part->tiling()));
    return text;
  }

  std::size_t scratch_floats(int threads) const override {
    std::size_t most = 0;
    for (const auto& part : parts_) most = std::max(most, part->scratch_floats(threads));
    return most;
  }

  void run(ThreadPool& pool, const StepBuffers& buffers) const override {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      parts_[i]->run(
          pool,
          {.inputs = buffers.inputs.subspan(i, 1), .output = buffers.output + offsets_[i], .scratch = buffers.scratch});
    }
  }

 private:
  std::vector<std::unique_ptr<Step>> parts_;
  std::vector<Index> offsets_;
};

bool can_write_channels(const Graph& graph, int node) {
  const auto* conv = op_at<op::Conv2d>(graph, node);
  return conv != nullptr && !conv->residual && (conv->groups == 1 || conv->groups < conv->out_channels);
}

}  // namespace

void find_conv_concats(const Graph& graph, const std::vector<bool>& taken, std::vector<StepGroup>& groups) {
  const Readers readers(graph);
  for (int concat = 1; concat < static_cast<int>(graph.nodes.size()); ++concat) {
    if (op_at<op::Concat>(graph, concat) == nullptr || taken[static_cast<std::size_t>(concat)]) continue;
    const std::vector<int>& convs = node_at(graph, concat).inputs;
    const bool fits = std::all_of(convs.begin(), convs.end(), [&](int conv) {
      return can_write_channels(graph, conv) && readers.only(conv) == concat && !taken[static_cast<std::size_t>(conv)];
    });
    if (!fits) continue;
    StepGroup group{.nodes = convs, .inputs = {}, .make = {}};
    std::sort(group.nodes.begin(), group.nodes.end());
    group.nodes.push_back(concat);
    for (const int conv : convs) group.inputs.push_back(node_at(graph, conv).inputs[0]);
    group.make = [convs](const StepSource& source) { return std::make_unique<ConvConcatStep>(source, convs); };
    groups.push_back(std::move(group));
  }
}

}  // namespace linnet::compiler
