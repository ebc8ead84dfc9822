// Steps without large weights: pooling, elementwise, attention, moving channels.
#pragma once

#include "engine/compile/step.h"

namespace linnet::compiler {

/// One overload per op; `inputs` are the shapes of the inputs per sample.
std::unique_ptr<Step> make_plain_step(const op::Activate& op, const std::vector<Shape>& inputs, Index batch);
std::unique_ptr<Step> make_plain_step(const op::Add& op, const std::vector<Shape>& inputs, Index batch);
std::unique_ptr<Step> make_plain_step(const op::ScaleChannels& op, const std::vector<Shape>& inputs, Index batch);
std::unique_ptr<Step> make_plain_step(const op::GlobalAveragePool& op, const std::vector<Shape>& inputs, Index batch);
std::unique_ptr<Step> make_plain_step(const op::MaxPool& op, const std::vector<Shape>& inputs, Index batch);
std::unique_ptr<Step> make_plain_step(const op::AveragePool& op, const std::vector<Shape>& inputs, Index batch);
std::unique_ptr<Step> make_plain_step(const op::ChannelShuffle& op, const std::vector<Shape>& inputs, Index batch);
std::unique_ptr<Step> make_plain_step(const op::Concat& op, const std::vector<Shape>& inputs, Index batch);
std::unique_ptr<Step> make_plain_step(const op::SliceChannels& op, const std::vector<Shape>& inputs, Index batch);
std::unique_ptr<Step> make_plain_step(const op::ZeroPad& op, const std::vector<Shape>& inputs, Index batch);
std::unique_ptr<Step> make_plain_step(const op::MultiQueryAttention& op, const std::vector<Shape>& inputs, Index batch);
std::unique_ptr<Step> make_plain_step(const op::Softmax& op, const std::vector<Shape>& inputs, Index batch);

/// Channels from `begin` on of rows `stride` floats apart.
struct InterleaveOperand {
  Index begin, stride;
};
/// Two inputs, channel by channel in turn.
std::unique_ptr<Step> make_interleave_step(Index rows, Index channels, InterleaveOperand first,
                                           InterleaveOperand second);

}  // namespace linnet::compiler
