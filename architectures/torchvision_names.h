// torchvision's state-dict names for the blocks that MobileNetV3 and EfficientNet share.
#pragma once

#include "architectures/blocks.h"

namespace linnet::architectures::torchvision {

/// "features.0": a convolution and its batch norm, numbered.
inline ConvNames conv(const std::string& prefix) { return {prefix + ".0", prefix + ".1"}; }

/// The parts of a block are numbered, those that it lacks left out.
inline InvertedResidualNames inverted_residual(const std::string& block, bool expands, bool squeezes) {
  int part = 0;
  const auto next_part = [&] { return block + ".block." + std::to_string(part++); };
  InvertedResidualNames names;
  names.block = block;
  if (expands) names.expand = conv(next_part());
  names.depthwise = conv(next_part());
  if (squeezes) {
    const std::string name = next_part();
    names.squeeze_excite = {name, name + ".fc1", name + ".fc2"};
  }
  names.project = conv(next_part());
  return names;
}

inline InvertedResidualNames fused(const std::string& block) {
  return {.block = block,
          .expand = conv(block + ".block.0"),
          .depthwise = {},
          .squeeze_excite = {},
          .project = conv(block + ".block.1")};
}

}  // namespace linnet::architectures::torchvision
