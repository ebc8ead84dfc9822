#include "architectures/blocks.h"

#include "architectures/backbone.h"
#include "architectures/rules.h"

namespace linnet::architectures {

namespace {

GraphBuilder start(std::string_view name, Index resolution, const BuildOptions& options) {
  const Index height = options.height != 0 ? options.height : resolution;
  const Index width = options.width != 0 ? options.width : height;
  return GraphBuilder(std::string(name), height, width, options.in_channels);
}

}  // namespace

NetworkBuilder::NetworkBuilder(std::string_view name, const Style& style, const BuildOptions& options, Index blocks)
    : style_(style),
      initial_(initial_rule(options.initialisation.value_or(style.initialisation))),
      options_(options),
      blocks_(blocks),
      graph_(start(name, style.resolution, options)) {
  style_.padding = options.padding.value_or(style.padding);
  style_.bn_epsilon = options.bn_epsilon.value_or(style.bn_epsilon);
  style_.dropout = options.dropout.value_or(style.dropout);
}

Padding NetworkBuilder::padding(Index kernel, Index stride, std::optional<Index> symmetric_amount) const {
  // At stride 1 both rules agree on odd kernels; the plain one is easier on whoever reads the graph.
  if (style_.padding == Padding::Rule::same && (stride > 1 || kernel % 2 == 0)) return {Padding::Rule::same, 0};
  return {Padding::Rule::symmetric, symmetric_amount.value_or(symmetric_padding(kernel, stride))};
}

int NetworkBuilder::conv(const std::string& name, int x, const Conv& conv) {
  return add(name,
             op::Conv2d{.out_channels = conv.out_channels,
                        .kernel = conv.kernel,
                        .stride = conv.stride,
                        .groups = conv.groups,
                        .padding = padding(conv.kernel, conv.stride, conv.padding),
                        .bias = conv.bias,
                        .initial = conv.initial.value_or(initial_.conv)},
             {x});
}

int NetworkBuilder::batch_norm(const std::string& name, int x) {
  return add(name, op::BatchNorm{style_.bn_epsilon, style_.bn_momentum, 1, initial_.beta}, {x});
}

int NetworkBuilder::activate(const std::string& owner, int x, Activation activation) {
  return activation == Activation::none ? x : add(owner + ".act", op::Activate{activation}, {x});
}

int NetworkBuilder::conv_bn(const ConvNames& names, int x, const Conv& convolution, Activation activation) {
  return activate(names.bn, batch_norm(names.bn, conv(names.conv, x, convolution)), activation);
}

int NetworkBuilder::depthwise_bn(const ConvNames& names, int x, Index kernel, Index stride, Activation activation) {
  const Index width = channels(x);
  return conv_bn(names, x, {.out_channels = width, .kernel = kernel, .stride = stride, .groups = width}, activation);
}

int NetworkBuilder::stem(const ConvNames& names, Index out_channels, Activation activation) {
  const Conv conv{.out_channels = out_channels, .kernel = 3, .stride = options_.stem_stride, .initial = initial_.stem};
  return feature(conv_bn(names, input(), conv, activation));
}

int NetworkBuilder::squeeze_excite(const SqueezeExciteNames& names, int x, const SqueezeExcite& squeeze_excite) {
  int gate = add(names.block + ".pool", op::GlobalAveragePool{}, {x});
  gate = conv(names.reduce, gate, {.out_channels = squeeze_excite.squeeze, .bias = true});
  gate = activate(names.reduce, gate, squeeze_excite.inner);
  gate = conv(names.expand, gate, {.out_channels = channels(x), .bias = true});
  gate = activate(names.expand, gate, squeeze_excite.gate);
  return add(names.block + ".scale", op::ScaleChannels{}, {x, gate});
}

int NetworkBuilder::inverted_residual(const InvertedResidualNames& names, int x, const InvertedResidual& block) {
  next_block();
  int y = x;
  if (block.expanded != 0) y = conv_bn(names.expand, y, {.out_channels = block.expanded}, block.activation);
  y = depthwise_bn(names.depthwise, y, block.kernel, block.stride, block.activation);
  if (block.squeeze_excite.squeeze != 0) y = squeeze_excite(names.squeeze_excite, y, block.squeeze_excite);
  y = conv_bn(names.project, y, {.out_channels = block.out_channels}, block.project_activation);
  return end_block(names, x, y, block);
}

int NetworkBuilder::fused_inverted_residual(const InvertedResidualNames& names, int x, const InvertedResidual& block) {
  next_block();
  const bool expands = block.expanded != 0;
  int y = conv_bn(
      names.expand, x,
      {.out_channels = expands ? block.expanded : block.out_channels, .kernel = block.kernel, .stride = block.stride},
      block.activation);
  if (expands) y = conv_bn(names.project, y, {.out_channels = block.out_channels}, block.project_activation);
  return end_block(names, x, y, block);
}

int NetworkBuilder::end_block(const InvertedResidualNames& names, int x, int y, const InvertedResidual& block) {
  const bool skip = block.skip && block.stride == 1 && channels(x) == block.out_channels;
  return feature(skip ? add_shortcut(names.block, x, y) : y);
}

int NetworkBuilder::drop_path(const std::string& owner, int x) {
  const float rate = options_.drop_path * float(block_) / float(blocks_);
  return rate > 0 ? add(owner + ".drop_path", op::DropPath{rate}, {x}) : x;
}

int NetworkBuilder::add_shortcut(const std::string& block, int shortcut, int branch) {
  if (std::holds_alternative<op::BatchNorm>(graph_.op(branch))) last_norms_.push_back(branch);
  return add(block + ".add", op::Add{}, {drop_path(block, branch), shortcut});
}

int NetworkBuilder::dropout(int x) { return style_.dropout > 0 ? add("dropout", op::Dropout{style_.dropout}, {x}) : x; }

int NetworkBuilder::classifier(const std::string& name, int features, bool bias) {
  if (options_.classes == 0) return features;
  return add(name, op::Linear{.out_features = options_.classes, .bias = bias, .initial = initial_.classifier},
             {dropout(features)});
}

int NetworkBuilder::feature(int x) {
  features_.push_back(x);
  return x;
}

Graph NetworkBuilder::finish() && {
  Graph graph = std::move(graph_).finish();
  if (options_.zero_init_last) {
    for (const int norm : last_norms_) {
      std::get<op::BatchNorm>(graph.nodes[static_cast<std::size_t>(norm)].op).initial_gamma = 0;
    }
  }
  return options_.feature_strides.empty() ? graph : backbone(std::move(graph), features_, options_.feature_strides);
}

}  // namespace linnet::architectures
