#include "engine/compile/step.h"

#include "engine/compile/conv_steps.h"
#include "engine/compile/plain_steps.h"
#include "engine/compile/rewrite.h"

namespace linnet::compiler {
namespace {

template <class Candidate>
constexpr bool renames = std::is_same_v<Candidate, op::Flatten> || std::is_same_v<Candidate, op::Dropout> ||
                         std::is_same_v<Candidate, op::DropPath>;

}  // namespace

bool renames_input(const Op& op) {
  return std::visit([]<class Candidate>(const Candidate&) { return renames<Candidate>; }, op);
}

std::unique_ptr<Step> make_step(const StepSource& source, int index) {
  const Node& node = node_at(source.graph(), index);
  return std::visit(
      [&]<class Candidate>(const Candidate& op) -> std::unique_ptr<Step> {
        if constexpr (renames<Candidate> || std::is_same_v<Candidate, op::Input> ||
                      std::is_same_v<Candidate, op::BlurPool>) {
          return nullptr;
        } else if constexpr (std::is_same_v<Candidate, op::Conv2d>) {
          return make_conv_step(source, index);
        } else if constexpr (std::is_same_v<Candidate, op::Linear>) {
          return make_linear_step(source, index);
        } else if constexpr (std::is_same_v<Candidate, op::BatchNorm> || std::is_same_v<Candidate, op::LayerScale>) {
          const Affine affine = affine_of(source.network, node);
          return make_scale_shift_step(source, source.batch * element_count(node.shape) / node.shape.back(),
                                       affine.scale, affine.shift, Activation::none);
        } else {
          std::vector<Shape> inputs;
          for (const int input : node.inputs) inputs.push_back(node_at(source.graph(), input).shape);
          return make_plain_step(op, inputs, source.batch);
        }
      },
      node.op);
}

}  // namespace linnet::compiler
