// Steps for convolutions and linear layers: the layers with large weights.
#pragma once

#include "engine/compile/step.h"

namespace linnet::compiler {

/// Chooses the kernel by shape.
std::unique_ptr<Step> make_conv_step(const Model& model, int node, Index batch);
std::unique_ptr<Step> make_linear_step(const Model& model, int node, Index batch);

/// From a map of shape `input` to one of shape `output`.
std::unique_ptr<Step> make_blur_pool_step(const Shape& input, const Shape& output, Index batch);

/// output = activation(input * scale + shift), per channel.
std::unique_ptr<Step> make_scale_shift_step(Index rows, Tensor scale, Tensor shift, Activation activation);

}  // namespace linnet::compiler
