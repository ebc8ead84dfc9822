// The name and the fields of every op, in one place. JSON reading and writing, and nothing else, walk these tables.
//
// visit(op, v) calls v(name, field, range) for each field; v is a template over the field's type. Ranges are inclusive
// and apply to numbers and to a symmetric padding's amount. A field that graphs of an earlier version do not have says
// since which version they do; read from such a text it keeps its default.
#pragma once

#include <limits>

#include "linnet/ops.h"

namespace linnet {

struct FieldRange {
  double least = 0;
  double most = 0;
  int since = 1;
};

/// Limits on what a graph may hold. Far above any real network, and small enough that no product of a few of them
/// overflows 64 bits.
namespace limit {
constexpr Index side = 65536;
constexpr Index channels = 1 << 24;
constexpr Index window = 1024;  // kernel, stride, dilation, padding
constexpr std::int64_t elements = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t nodes = 65536;
}  // namespace limit

namespace range {
constexpr FieldRange none{};
constexpr FieldRange side{1, double(limit::side)};
constexpr FieldRange channels{1, double(limit::channels)};
constexpr FieldRange channel_index{0, double(limit::channels)};
constexpr FieldRange window{1, double(limit::window)};
constexpr FieldRange padding{0, double(limit::window)};
constexpr FieldRange margin{-double(limit::window), double(limit::window)};
constexpr FieldRange unit{0, 1};
constexpr FieldRange epsilon{1e-12, 1};
constexpr FieldRange drop_rate{0, 0.999};
constexpr FieldRange initial{0, 0, 2};
constexpr FieldRange initial_value{-1, 1, 2};
}  // namespace range

template <class T>
struct OpFields;

template <>
struct OpFields<op::Input> {
  static constexpr const char* name = "input";
  static void visit(auto& op, auto&& v) {
    v("height", op.height, range::side);
    v("width", op.width, range::side);
    v("channels", op.channels, range::channels);
  }
};

template <>
struct OpFields<op::Conv2d> {
  static constexpr const char* name = "conv2d";
  static void visit(auto& op, auto&& v) {
    v("out_channels", op.out_channels, range::channels);
    v("kernel", op.kernel, range::window);
    v("stride", op.stride, range::window);
    v("dilation", op.dilation, range::window);
    v("groups", op.groups, range::channels);
    v("padding", op.padding, range::padding);
    v("bias", op.bias, range::none);
    v("activation", op.activation, range::none);
    v("residual", op.residual, range::none);
    v("initial", op.initial, range::initial);
  }
};

template <>
struct OpFields<op::BatchNorm> {
  static constexpr const char* name = "batch_norm";
  static void visit(auto& op, auto&& v) {
    v("epsilon", op.epsilon, range::epsilon);
    v("momentum", op.momentum, range::unit);
    v("initial_gamma", op.initial_gamma, range::initial_value);
    v("initial_beta", op.initial_beta, range::initial_value);
  }
};

template <>
struct OpFields<op::Activate> {
  static constexpr const char* name = "activate";
  static void visit(auto& op, auto&& v) { v("activation", op.activation, range::none); }
};

template <>
struct OpFields<op::Add> {
  static constexpr const char* name = "add";
  static void visit(auto& op, auto&& v) { v("activation", op.activation, range::none); }
};

template <>
struct OpFields<op::ScaleChannels> {
  static constexpr const char* name = "scale_channels";
  static void visit(auto&, auto&&) {}
};

template <>
struct OpFields<op::GlobalAveragePool> {
  static constexpr const char* name = "global_average_pool";
  static void visit(auto&, auto&&) {}
};

template <>
struct OpFields<op::MaxPool> {
  static constexpr const char* name = "max_pool";
  static void visit(auto& op, auto&& v) {
    v("kernel", op.kernel, range::window);
    v("stride", op.stride, range::window);
    v("padding", op.padding, range::padding);
    v("ceil_mode", op.ceil_mode, range::none);
  }
};

template <>
struct OpFields<op::AveragePool> {
  static constexpr const char* name = "average_pool";
  static void visit(auto& op, auto&& v) {
    v("kernel", op.kernel, range::window);
    v("stride", op.stride, range::window);
    v("padding", op.padding, range::padding);
    v("ceil_mode", op.ceil_mode, range::none);
    v("count_padding", op.count_padding, range::none);
  }
};

template <>
struct OpFields<op::Flatten> {
  static constexpr const char* name = "flatten";
  static void visit(auto&, auto&&) {}
};

template <>
struct OpFields<op::Linear> {
  static constexpr const char* name = "linear";
  static void visit(auto& op, auto&& v) {
    v("out_features", op.out_features, range::channels);
    v("bias", op.bias, range::none);
    v("activation", op.activation, range::none);
    v("initial", op.initial, range::initial);
  }
};

template <>
struct OpFields<op::Dropout> {
  static constexpr const char* name = "dropout";
  static void visit(auto& op, auto&& v) { v("rate", op.rate, range::drop_rate); }
};

template <>
struct OpFields<op::DropPath> {
  static constexpr const char* name = "drop_path";
  static void visit(auto& op, auto&& v) { v("rate", op.rate, range::drop_rate); }
};

template <>
struct OpFields<op::ChannelShuffle> {
  static constexpr const char* name = "channel_shuffle";
  static void visit(auto& op, auto&& v) { v("groups", op.groups, range::channels); }
};

template <>
struct OpFields<op::Concat> {
  static constexpr const char* name = "concat";
  static void visit(auto&, auto&&) {}
};

template <>
struct OpFields<op::SliceChannels> {
  static constexpr const char* name = "slice_channels";
  static void visit(auto& op, auto&& v) {
    v("begin", op.begin, range::channel_index);
    v("end", op.end, range::channels);
  }
};

template <>
struct OpFields<op::ZeroPad> {
  static constexpr const char* name = "zero_pad";
  static void visit(auto& op, auto&& v) {
    v("top", op.top, range::margin);
    v("left", op.left, range::margin);
    v("bottom", op.bottom, range::margin);
    v("right", op.right, range::margin);
  }
};

template <>
struct OpFields<op::BlurPool> {
  static constexpr const char* name = "blur_pool";
  static void visit(auto&, auto&&) {}
};

template <>
struct OpFields<op::LayerScale> {
  static constexpr const char* name = "layer_scale";
  static void visit(auto& op, auto&& v) { v("initial", op.initial, range::unit); }
};

template <>
struct OpFields<op::MultiQueryAttention> {
  static constexpr const char* name = "multi_query_attention";
  static void visit(auto& op, auto&& v) { v("heads", op.heads, range::channels); }
};

template <>
struct OpFields<op::Softmax> {
  static constexpr const char* name = "softmax";
  static void visit(auto&, auto&&) {}
};

}  // namespace linnet
