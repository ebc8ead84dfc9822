// The operations of a network, as plain data. Every op is a small struct; a Graph node holds one of them.
//
// Activations are [height, width, channels] or [features] per sample; the batch is not part of a graph. Parameters
// belong to the node and are named after it: "<node>.weight", "<node>.bias", "<node>.running_mean", ...
#pragma once

#include <string_view>
#include <variant>

#include "linnet/types.h"

namespace linnet {

/// Padding of a sliding window. `symmetric`: `amount` on all four sides. `same`: TensorFlow's rule, computed from the
/// size of the input at hand: output = ceil(input / stride), the odd pixel at the bottom and right.
struct Padding {
  enum class Rule : std::uint8_t { symmetric, same };
  Rule rule = Rule::symmetric;
  Index amount = 0;
  bool operator==(const Padding&) const = default;
};

/// What the first weights of a convolution or linear layer are drawn from (initial_weights). Per weight tensor:
/// fan_in = in channels / groups * kernel * kernel, fan_out = out channels / groups * kernel * kernel. Biases are 0
/// unless said otherwise.
enum class Initial : std::uint8_t {
  normal_fan_out,            ///< normal, deviation sqrt(2 / fan_out): TensorFlow's EfficientNet, timm
  normal_fan_out_all,        ///< the same with all groups counted in fan_out: PyTorch's kaiming_normal_ by fan_out
  normal_channels,           ///< normal, deviation groups / in channels: megvii
  normal_hundredth,          ///< normal, deviation 0.01
  truncated_nine_hundredth,  ///< normal, deviation 0.09, cut at two deviations: TF-slim's MobileNets
  truncated_fan_out,         ///< normal, deviation sqrt(2.6 / fan_out), cut at two deviations: TF-slim's NASNet
  uniform_fan_in,            ///< uniform within 1 / sqrt(fan_in), bias too: PyTorch's default
  uniform_fan_out,           ///< uniform within 1 / sqrt(fan_out): TensorFlow's EfficientNet, timm
  he_uniform,                ///< uniform within sqrt(6 / fan_in) (arXiv 1502.01852): PyTorch's kaiming_uniform_
  glorot_uniform,            ///< uniform within sqrt(6 / (fan_in + groups * fan_out)): PyTorch's xavier_uniform_
};

/// "normal_fan_out", ...; the names used in model files.
std::string_view to_string(Initial initial);

/// The inverse of to_string. Throws std::invalid_argument that names the text and lists the known names.
Initial initial_from_string(std::string_view text);

namespace op {

/// The network's input, [height, width, channels].
struct Input {
  Index height = 0, width = 0, channels = 0;
  bool operator==(const Input&) const = default;
};

/// Any convolution: dense, grouped, depthwise (groups = in channels = out channels), pointwise.
/// Inputs: x, and with `residual` a second tensor shaped like the output.
/// output = activation(conv(x) + bias + residual). Architectures leave activation and residual to the compiler.
struct Conv2d {
  Index out_channels = 0;
  Index kernel = 1;
  Index stride = 1;
  Index dilation = 1;
  Index groups = 1;
  Padding padding = {};
  bool bias = false;
  Activation activation = Activation::none;
  bool residual = false;
  Initial initial = Initial::normal_fan_out;
  bool operator==(const Conv2d&) const = default;
};

/// Parameters weight, bias, running_mean, running_var, num_batches_tracked. `momentum` is the weight of the new value.
struct BatchNorm {
  float epsilon = 1e-5f;
  float momentum = 0.1f;
  float initial_gamma = 1, initial_beta = 0;
  bool operator==(const BatchNorm&) const = default;
};

struct Activate {
  Activation activation = Activation::none;
  bool operator==(const Activate&) const = default;
};

/// Sum of two tensors of one shape, then an activation (left to the compiler).
struct Add {
  Activation activation = Activation::none;
  bool operator==(const Add&) const = default;
};

/// Inputs: x [h, w, c] and a gate [1, 1, c]; output x * gate.
struct ScaleChannels {
  bool operator==(const ScaleChannels&) const = default;
};

/// [h, w, c] -> [1, 1, c]
struct GlobalAveragePool {
  bool operator==(const GlobalAveragePool&) const = default;
};

struct MaxPool {
  Index kernel = 2;
  Index stride = 2;
  Padding padding = {};
  bool ceil_mode = false;
  bool operator==(const MaxPool&) const = default;
};

struct AveragePool {
  Index kernel = 2;
  Index stride = 2;
  Padding padding = {};
  bool ceil_mode = false;
  bool count_padding = false;
  bool operator==(const AveragePool&) const = default;
};

/// [h, w, c] -> [h * w * c]; the classifiers use it on [1, 1, c].
struct Flatten {
  bool operator==(const Flatten&) const = default;
};

/// [in] -> [out]. Parameters weight [out, in] and, with `bias`, bias [out].
struct Linear {
  Index out_features = 0;
  bool bias = true;
  Activation activation = Activation::none;  ///< left to the compiler
  Initial initial = Initial::uniform_fan_in;
  bool operator==(const Linear&) const = default;
};

/// Training only: zeroes each value with probability `rate` and divides the rest by 1 - rate.
struct Dropout {
  float rate = 0;
  bool operator==(const Dropout&) const = default;
};

/// Training only: zeroes whole samples with probability `rate` and divides the rest by 1 - rate (stochastic depth).
struct DropPath {
  float rate = 0;
  bool operator==(const DropPath&) const = default;
};

/// Input channel g * (c / groups) + j goes to output channel j * groups + g.
struct ChannelShuffle {
  Index groups = 1;
  bool operator==(const ChannelShuffle&) const = default;
};

/// Concatenation along the channels, in the order of the inputs.
struct Concat {
  bool operator==(const Concat&) const = default;
};

/// Channels [begin, end) of the input.
struct SliceChannels {
  Index begin = 0, end = 0;
  bool operator==(const SliceChannels&) const = default;
};

/// Zeros around a map, [h, w, c] -> [top + h + bottom, left + w + right, c]. Negative amounts cut off. NASNet shifts
/// and crops with it.
struct ZeroPad {
  Index top = 0, left = 0, bottom = 0, right = 0;
  bool operator==(const ZeroPad&) const = default;
};

/// Binomial 3x3 filter of every channel, stride 2, one zero on all sides (arXiv 1904.11486).
struct BlurPool {
  static constexpr Index kernel = 3, stride = 2;
  static constexpr Padding padding = {Padding::Rule::symmetric, 1};
  bool operator==(const BlurPool&) const = default;
};

/// Parameter gamma [channels], at first `initial`: output x * gamma (arXiv 2103.17239).
struct LayerScale {
  float initial = 1e-5f;
  bool operator==(const LayerScale&) const = default;
};

/// Inputs: query [h, w, heads * d], key and value [kh, kw, d], which all heads share; output shaped like the query:
/// softmax(query . key / sqrt(d)) . value, head by head (arXiv 1911.02150).
struct MultiQueryAttention {
  Index heads = 1;
  bool operator==(const MultiQueryAttention&) const = default;
};

struct Softmax {
  bool operator==(const Softmax&) const = default;
};

}  // namespace op

using Op = std::variant<op::Input, op::Conv2d, op::BatchNorm, op::Activate, op::Add, op::ScaleChannels,
                        op::GlobalAveragePool, op::MaxPool, op::AveragePool, op::Flatten, op::Linear, op::Dropout,
                        op::DropPath, op::ChannelShuffle, op::Concat, op::SliceChannels, op::ZeroPad, op::BlurPool,
                        op::LayerScale, op::MultiQueryAttention, op::Softmax>;

/// "conv2d", "batch_norm", ...: the name of an op in model files and messages.
const char* op_name(const Op& op);

}  // namespace linnet
