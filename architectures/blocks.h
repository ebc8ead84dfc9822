// The blocks that the families are made of, and the state that they share while a network is being built.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "architectures/initialisation.h"
#include "linnet/architectures.h"
#include "linnet/graph.h"

namespace linnet::architectures {

/// What a variant fixes for all of its layers, unless the options say otherwise.
struct Style {
  Index resolution = 224;
  Padding::Rule padding = Padding::Rule::symmetric;
  float bn_epsilon = 1e-5f;
  float bn_momentum = 0.1f;
  float dropout = 0;
  Initialisation initialisation = Initialisation::timm;
};

struct Conv {
  Index out_channels = 0;
  Index kernel = 1;
  Index stride = 1;
  Index groups = 1;
  bool bias = false;
  std::optional<Index> padding = {};    ///< under the symmetric rule; unset: half the kernel
  std::optional<Initial> initial = {};  ///< unset: as the network's other convolutions
};

/// State-dict prefixes of a convolution and the batch norm behind it.
struct ConvNames {
  std::string conv, bn;
};

struct SqueezeExciteNames {
  std::string block, reduce, expand;
};

struct SqueezeExcite {
  Index squeeze = 0;
  Activation inner = Activation::relu;
  Activation gate = Activation::hard_sigmoid;
};

struct InvertedResidualNames {
  std::string block;
  ConvNames expand, depthwise;
  SqueezeExciteNames squeeze_excite;
  ConvNames project;
};

/// [1x1 expand, bn, act] -> depthwise, bn, act -> [squeeze-excite] -> 1x1 project, bn [, + input].
struct InvertedResidual {
  Index expanded = 0;  ///< 0: no expansion
  Index out_channels = 0;
  Index kernel = 3;
  Index stride = 1;
  Activation activation = Activation::relu;
  Activation project_activation = Activation::none;
  SqueezeExcite squeeze_excite = {};  ///< squeeze 0: none
  bool skip = true;                   ///< adds the input where stride and channels allow it
};

/// Adds layers to a graph. Every function takes and returns node indices.
class NetworkBuilder {
 public:
  /// `blocks`: how many times next_block() will be called; drop path grows over them.
  NetworkBuilder(std::string_view name, const Style& style, const BuildOptions& options, Index blocks);

  int input() const { return graph_.input(); }
  Index channels(int x) const { return graph_.channels(x); }
  const Shape& shape(int x) const { return graph_.shape(x); }
  int add(std::string name, Op op, std::vector<int> inputs) {
    return graph_.add(std::move(name), std::move(op), std::move(inputs));
  }

  Index stem_stride() const { return options_.stem_stride; }
  Index classes() const { return options_.classes; }
  const InitialRule& initial() const { return initial_; }

  /// Padding by the network's rule. Without an amount for the symmetric rule it keeps ceil(size / stride) outputs on
  /// odd kernels, as the other rule does.
  Padding padding(Index kernel, Index stride, std::optional<Index> symmetric_amount = {}) const;

  int conv(const std::string& name, int x, const Conv& conv);
  int batch_norm(const std::string& name, int x);
  /// A node "<owner>.act", or nothing for Activation::none.
  int activate(const std::string& owner, int x, Activation activation);
  int conv_bn(const ConvNames& names, int x, const Conv& conv, Activation activation);
  int depthwise_bn(const ConvNames& names, int x, Index kernel, Index stride, Activation activation);
  /// The first convolution, 3x3 with the stride of the options.
  int stem(const ConvNames& names, Index out_channels, Activation activation);
  int squeeze_excite(const SqueezeExciteNames& names, int x, const SqueezeExcite& squeeze_excite);
  int inverted_residual(const InvertedResidualNames& names, int x, const InvertedResidual& block);
  /// kxk expand with the stride, bn, act -> 1x1 project, bn [, + input]. Not expanded: one kxk convolution, bn, act.
  int fused_inverted_residual(const InvertedResidualNames& names, int x, const InvertedResidual& block);

  /// Says that `x`, which it returns, is a feature map: what the stem or a block gives. The last one of each stride is
  /// what BuildOptions::feature_strides can ask for.
  int feature(int x);

  /// To be called once per block, in order: counts it for drop path.
  void next_block() { ++block_; }
  /// A node "<owner>.drop_path" at the current block's rate, or nothing if that is 0.
  int drop_path(const std::string& owner, int x);
  /// branch (through drop path) + shortcut.
  int add_shortcut(const std::string& block, int shortcut, int branch);

  int global_pool(int x) { return add("global_pool", op::GlobalAveragePool{}, {x}); }
  int flatten(int x) { return add("flatten", op::Flatten{}, {x}); }
  int dropout(int x);
  /// Dropout and the last linear layer; nothing if no classes are asked for.
  int classifier(const std::string& name, int features, bool bias = true);

  Graph finish() &&;

 private:
  int end_block(const InvertedResidualNames& names, int x, int y, const InvertedResidual& block);

  Style style_;
  InitialRule initial_;
  BuildOptions options_;
  Index blocks_;
  Index block_ = -1;
  std::vector<int> last_norms_;  // of residual branches
  std::vector<int> features_;
  GraphBuilder graph_;
};

}  // namespace linnet::architectures
