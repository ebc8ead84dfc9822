// Steps for convolutions and linear layers: the layers with large weights.
#pragma once

#include "engine/compile/step.h"
#include "kernels/common/window.h"

namespace linnet::compiler {

/// The geometry of a convolution from maps of shape `input` to maps of shape `output`, per sample.
kernels::Window conv_window(const op::Conv2d& op, const Shape& input, const Shape& output, Index batch);

/// Chooses the kernel by shape. With an output stride the output's pixels lie so many floats apart; 0: they are dense.
std::unique_ptr<Step> make_conv_step(const StepSource& source, int node, Index output_stride = 0);
std::unique_ptr<Step> make_linear_step(const StepSource& source, int node);

/// output = activation(input * scale + shift), per channel.
std::unique_ptr<Step> make_scale_shift_step(const StepSource& source, Index rows, const Tensor& scale,
                                            const Tensor& shift, Activation activation);

}  // namespace linnet::compiler
