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

std::unique_ptr<Step> make_step(const Model& model, int index, Index batch) {
  const Node& node = node_at(model.graph, index);
  return std::visit(
      [&]<class Candidate>(const Candidate& op) -> std::unique_ptr<Step> {
        if constexpr (renames<Candidate> || std::is_same_v<Candidate, op::Input>) {
          return nullptr;
        } else if constexpr (std::is_same_v<Candidate, op::Conv2d>) {
          return make_conv_step(model, index, batch);
        } else if constexpr (std::is_same_v<Candidate, op::Linear>) {
          return make_linear_step(model, index, batch);
        } else if constexpr (std::is_same_v<Candidate, op::BlurPool>) {
          return make_blur_pool_step(node_at(model.graph, node.inputs[0]).shape, node.shape, batch);
        } else if constexpr (std::is_same_v<Candidate, op::BatchNorm> || std::is_same_v<Candidate, op::LayerScale>) {
          Affine affine = affine_of(model, node);
          return make_scale_shift_step(batch * element_count(node.shape) / node.shape.back(), std::move(affine.scale),
                                       std::move(affine.shift), Activation::none);
        } else {
          std::vector<Shape> inputs;
          for (const int input : node.inputs) inputs.push_back(node_at(model.graph, input).shape);
          return make_plain_step(op, inputs, batch);
        }
      },
      node.op);
}

}  // namespace linnet::compiler
