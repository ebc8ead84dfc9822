// timm's state-dict names for the blocks that MobileNetV1 to V3 and EfficientNet share.
#pragma once

#include "architectures/blocks.h"

namespace linnet::architectures::timm {

inline const ConvNames stem{"conv_stem", "bn1"};
inline const ConvNames head{"conv_head", "bn2"};

inline std::string block(std::size_t stage, Index index) {
  return "blocks." + std::to_string(stage) + "." + std::to_string(index);
}

inline SqueezeExciteNames squeeze_excite(const std::string& block) {
  return {block + ".se", block + ".se.conv_reduce", block + ".se.conv_expand"};
}

/// A block without expansion: here conv_pw is the projection.
inline InvertedResidualNames depthwise_separable(const std::string& block) {
  return {.block = block,
          .expand = {},
          .depthwise = {block + ".conv_dw", block + ".bn1"},
          .squeeze_excite = squeeze_excite(block),
          .project = {block + ".conv_pw", block + ".bn2"}};
}

/// A block with expansion: here conv_pw is the expansion.
inline InvertedResidualNames inverted_residual(const std::string& block) {
  return {.block = block,
          .expand = {block + ".conv_pw", block + ".bn1"},
          .depthwise = {block + ".conv_dw", block + ".bn2"},
          .squeeze_excite = squeeze_excite(block),
          .project = {block + ".conv_pwl", block + ".bn3"}};
}

/// A block whose expansion is a full convolution.
inline InvertedResidualNames fused(const std::string& block) {
  return {.block = block,
          .expand = {block + ".conv_exp", block + ".bn1"},
          .depthwise = {},
          .squeeze_excite = {},
          .project = {block + ".conv_pwl", block + ".bn2"}};
}

/// A block that is one convolution.
inline InvertedResidualNames conv_block(const std::string& block) {
  return {.block = block,
          .expand = {block + ".conv", block + ".bn1"},
          .depthwise = {},
          .squeeze_excite = {},
          .project = {}};
}

}  // namespace linnet::architectures::timm
