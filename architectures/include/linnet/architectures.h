// The networks by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "linnet/graph.h"

namespace linnet::architectures {

/// Whose training code says what the first weights are drawn from; sources and distributions stand in
/// architectures/initialisation.cpp.
enum class Initialisation : std::uint8_t {
  timm,  ///< and TensorFlow's EfficientNet
  torchvision,
  torchvision_efficientnet,
  torchvision_squeezenet,
  pytorch,  ///< what PyTorch does unasked
  pytorchcv,
  megvii,
  slim,  ///< TF-slim's MobileNets
  slim_nasnet,
};

/// "timm", "torchvision_efficientnet", ... Throws linnet::Error for other names, with the known ones.
Initialisation initialisation_from_name(std::string_view name);

struct BuildOptions {
  Index classes = 1000;  ///< 0: no classifier, the pooled features are the output
  Index in_channels = 3;
  Index height = 0;                                   ///< 0: the variant's native resolution
  Index width = 0;                                    ///< 0: as height
  Index stem_stride = 2;                              ///< 1 for small pictures (32x32 and below)
  std::optional<float> dropout = {};                  ///< before the classifier; unset: the variant's own
  float drop_path = 0;                                ///< block i of n drops its branch at the rate drop_path * i / n
  std::optional<Padding::Rule> padding = {};          ///< unset: the variant's own
  std::optional<float> bn_epsilon = {};               ///< unset: the variant's own
  std::optional<Initialisation> initialisation = {};  ///< unset: the variant's own
  /// The batch norm that ends the branch of a residual block begins with gamma 0, and the block as its shortcut
  /// (arXiv 1706.02677).
  bool zero_init_last = false;
  /// Not empty: a backbone. For each of these reductions of the input's size (4, 8, 16, 32) the last feature map that
  /// has it is an output, in this order; what no output depends on, the classifier at least, is left out. The maps are
  /// those of timm's features_only: what a block or the stem gives.
  std::vector<Index> feature_strides = {};
};

struct Variant {
  std::string name;    ///< "mobilenetv3_small_100", "torchvision_mobilenet_v2"
  std::string family;  ///< "mobilenetv3"
  Index resolution;    ///< native input size
  double top1 = 0;     ///< published ImageNet-1k top-1 accuracy in percent; 0: none
  std::string source;  ///< who published it, with which weights
};

/// All named variants, sorted by family and size.
std::vector<Variant> variants();

/// Builds a network. `name` is a variant's name; `mobilenetv1_WWW` and
/// `mobilenetv2_WWW` take any width in percent; the suffixes _HxW and
/// _cN (in this order) set input size and classes and override the options. Throws linnet::Error for an unknown name,
/// with the nearest known ones, for a size that is too small, and for a feature stride that the network lacks.
Graph build(std::string_view name, const BuildOptions& options = {});

}  // namespace linnet::architectures
