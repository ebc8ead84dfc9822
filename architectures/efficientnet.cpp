// EfficientNet B0 to B7 (arXiv 1905.11946), Lite0 to Lite4, and EfficientNetV2 (arXiv 2104.00298).
#include <algorithm>
#include <span>
#include <string>

#include "architectures/blocks.h"
#include "architectures/families.h"
#include "architectures/names.h"
#include "architectures/rules.h"
#include "architectures/timm_names.h"
#include "architectures/torchvision_names.h"

namespace linnet::architectures {

namespace {

enum class Kind { inverted, fused };

struct Stage {
  Kind kind;
  Index kernel, stride, expansion, channels, repeats;
};

constexpr auto inverted = Kind::inverted;
constexpr auto fused = Kind::fused;

// kind, kernel, stride, expansion, channels, repeats
constexpr Stage b_stages[] = {
    {inverted, 3, 1, 1, 16, 1},   // 112 x 112
    {inverted, 3, 2, 6, 24, 2},   // 56 x 56
    {inverted, 5, 2, 6, 40, 2},   // 28 x 28
    {inverted, 3, 2, 6, 80, 3},   // 14 x 14
    {inverted, 5, 1, 6, 112, 3},  // 14 x 14
    {inverted, 5, 2, 6, 192, 4},  // 7 x 7
    {inverted, 3, 1, 6, 320, 1},  // 7 x 7
};
constexpr Stage v2_base_stages[] = {
    {fused, 3, 1, 1, 16, 1},      // 112 x 112
    {fused, 3, 2, 4, 32, 2},      // 56 x 56
    {fused, 3, 2, 4, 48, 2},      // 28 x 28
    {inverted, 3, 2, 4, 96, 3},   // 14 x 14
    {inverted, 3, 1, 6, 112, 5},  // 14 x 14
    {inverted, 3, 2, 6, 192, 8},  // 7 x 7
};
constexpr Stage v2_small_stages[] = {
    {fused, 3, 1, 1, 24, 2},       // 192 x 192
    {fused, 3, 2, 4, 48, 4},       // 96 x 96
    {fused, 3, 2, 4, 64, 4},       // 48 x 48
    {inverted, 3, 2, 4, 128, 6},   // 24 x 24
    {inverted, 3, 1, 6, 160, 9},   // 24 x 24
    {inverted, 3, 2, 6, 256, 15},  // 12 x 12
};
constexpr Stage v2_medium_stages[] = {
    {fused, 3, 1, 1, 24, 3},       // 240 x 240
    {fused, 3, 2, 4, 48, 5},       // 120 x 120
    {fused, 3, 2, 4, 80, 5},       // 60 x 60
    {inverted, 3, 2, 4, 160, 7},   // 30 x 30
    {inverted, 3, 1, 6, 176, 14},  // 30 x 30
    {inverted, 3, 2, 6, 304, 18},  // 15 x 15
    {inverted, 3, 1, 6, 512, 5},   // 15 x 15
};
constexpr Stage v2_large_stages[] = {
    {fused, 3, 1, 1, 32, 4},       // 240 x 240
    {fused, 3, 2, 4, 64, 7},       // 120 x 120
    {fused, 3, 2, 4, 96, 7},       // 60 x 60
    {inverted, 3, 2, 4, 192, 10},  // 30 x 30
    {inverted, 3, 1, 6, 224, 19},  // 30 x 30
    {inverted, 3, 2, 6, 384, 25},  // 15 x 15
    {inverted, 3, 1, 6, 640, 7},   // 15 x 15
};

struct Layout {
  std::span<const Stage> stages;
  Index stem_channels;
  double round_limit;  // of make_divisible
  bool lite;           // no squeeze-and-excite, ReLU6; stem, head and the outer stages' repeats are not scaled
  bool version2;
};
constexpr Layout version1{b_stages, 32, 0.9, false, false};
constexpr Layout lite{b_stages, 32, 0.9, true, false};
constexpr Layout v2_base{v2_base_stages, 32, 0.0, false, true};
constexpr Layout v2_small{v2_small_stages, 24, 0.9, false, true};
constexpr Layout v2_medium{v2_medium_stages, 24, 0.9, false, true};
constexpr Layout v2_large{v2_large_stages, 32, 0.9, false, true};
constexpr Index head_channels = 1280;

struct Scale {
  double width, depth;
  Index resolution;
  float dropout;
};
constexpr Scale b0{1.0, 1.0, 224, 0.2f}, b1{1.0, 1.1, 240, 0.2f}, b2{1.1, 1.2, 260, 0.3f}, b3{1.2, 1.4, 300, 0.3f},
    b4{1.4, 1.8, 380, 0.4f}, b5{1.6, 2.2, 456, 0.4f}, b6{1.8, 2.6, 528, 0.5f}, b7{2.0, 3.1, 600, 0.5f};
constexpr Scale lite3{1.2, 1.4, 280, 0.3f}, lite4{1.4, 1.8, 300, 0.3f};  // Lite0 to Lite2 are as B0 to B2
constexpr Scale small{1.0, 1.0, 384, 0.2f}, medium{1.0, 1.0, 480, 0.3f}, large{1.0, 1.0, 480, 0.4f};

/// Whose details: padding, batch norm, names.
enum class Source { timm, tf, torchvision };
constexpr auto from_timm = Source::timm;
constexpr auto from_tf = Source::tf;
constexpr auto from_torchvision = Source::torchvision;

struct Definition {
  const char* name;
  Source source;
  const Layout& layout;
  const Scale& scale;
  Published published;
};

constexpr const char* csv = "timm results-imagenet.csv";
constexpr const char* csv_aa = "timm results-imagenet.csv, aa_in1k";
constexpr const char* readme = "TF EfficientNet-Lite README";
constexpr const char* paper = "arXiv 1905.11946";
constexpr const char* torchvision_v1 = "torchvision V1";

// name, source, layout, scale, published
constexpr Definition definitions[] = {
    {"efficientnet_b0", from_timm, version1, b0, {77.698, csv}},
    {"efficientnet_b1", from_timm, version1, b1, {77.592, "timm results-imagenet.csv at 224"}},
    {"efficientnet_b2", from_timm, version1, b2, {79.324, "timm results-imagenet.csv at 256"}},
    {"efficientnet_b3", from_timm, version1, b3, {81.472, "timm results-imagenet.csv at 288"}},
    {"efficientnet_b4", from_timm, version1, b4, {82.658, "timm results-imagenet.csv at 320"}},
    {"efficientnet_b5", from_timm, version1, b5, {83.6, paper}},
    {"efficientnet_b6", from_timm, version1, b6, {84.0, paper}},
    {"efficientnet_b7", from_timm, version1, b7, {84.3, paper}},
    {"tf_efficientnet_b0", from_tf, version1, b0, {76.882, csv_aa}},
    {"tf_efficientnet_b1", from_tf, version1, b1, {78.840, csv_aa}},
    {"tf_efficientnet_b2", from_tf, version1, b2, {80.074, csv_aa}},
    {"tf_efficientnet_b3", from_tf, version1, b3, {81.648, csv_aa}},
    {"tf_efficientnet_b4", from_tf, version1, b4, {83.040, csv_aa}},
    {"tf_efficientnet_b5", from_tf, version1, b5, {83.696, csv_aa}},
    {"tf_efficientnet_b6", from_tf, version1, b6, {84.124, csv_aa}},
    {"tf_efficientnet_b7", from_tf, version1, b7, {84.424, csv_aa}},
    {"torchvision_efficientnet_b0", from_torchvision, version1, b0, {77.692, torchvision_v1}},
    {"torchvision_efficientnet_b1", from_torchvision, version1, b1, {79.838, "torchvision V2"}},
    {"torchvision_efficientnet_b2", from_torchvision, version1, b2, {80.608, "torchvision V1 at 288"}},
    {"torchvision_efficientnet_b3", from_torchvision, version1, b3, {82.008, torchvision_v1}},
    {"torchvision_efficientnet_b4", from_torchvision, version1, b4, {83.384, torchvision_v1}},
    {"torchvision_efficientnet_b5", from_torchvision, version1, b5, {83.444, torchvision_v1}},
    {"torchvision_efficientnet_b6", from_torchvision, version1, b6, {84.008, torchvision_v1}},
    {"torchvision_efficientnet_b7", from_torchvision, version1, b7, {84.122, torchvision_v1}},
    {"efficientnet_lite0", from_timm, lite, b0, {75.488, csv}},
    {"efficientnet_lite1", from_timm, lite, b1, {76.7, readme}},
    {"efficientnet_lite2", from_timm, lite, b2, {77.6, readme}},
    {"efficientnet_lite3", from_timm, lite, lite3, {79.8, readme}},
    {"efficientnet_lite4", from_timm, lite, lite4, {81.5, readme}},
    {"tf_efficientnet_lite0", from_tf, lite, b0, {74.846, csv}},
    {"tf_efficientnet_lite1", from_tf, lite, b1, {76.674, csv}},
    {"tf_efficientnet_lite2", from_tf, lite, b2, {77.470, csv}},
    {"tf_efficientnet_lite3", from_tf, lite, lite3, {79.808, "timm results-imagenet.csv at 300"}},
    {"tf_efficientnet_lite4", from_tf, lite, lite4, {81.540, "timm results-imagenet.csv at 380"}},
    {"tf_efficientnetv2_b0", from_tf, v2_base, b0, {78.386, csv}},
    {"tf_efficientnetv2_b1", from_tf, v2_base, b1, {79.518, csv}},
    {"tf_efficientnetv2_b2", from_tf, v2_base, b2, {80.226, csv}},
    {"tf_efficientnetv2_b3", from_tf, v2_base, b3, {81.960, csv}},
    {"tf_efficientnetv2_s", from_tf, v2_small, small, {83.900, csv}},
    {"tf_efficientnetv2_m", from_tf, v2_medium, medium, {85.208, csv}},
    {"tf_efficientnetv2_l", from_tf, v2_large, large, {85.660, csv}},
    {"torchvision_efficientnet_v2_s", from_torchvision, v2_small, small, {84.228, torchvision_v1}},
    {"torchvision_efficientnet_v2_m", from_torchvision, v2_medium, medium, {85.112, torchvision_v1}},
    {"torchvision_efficientnet_v2_l", from_torchvision, v2_large, large, {85.808, torchvision_v1}},
};

Style style_of(const Definition& definition) {
  Style style{.resolution = definition.scale.resolution, .dropout = definition.scale.dropout};
  if (definition.source == from_tf) {
    style.padding = Padding::Rule::same;
    style.bn_epsilon = 1e-3f;
  } else if (definition.source == from_torchvision) {
    style.initialisation = Initialisation::torchvision_efficientnet;
    const bool converted = definition.scale.width >= b5.width;  // B5 to B7, from TF
    if (converted || definition.layout.version2) style.bn_epsilon = 1e-3f;
    if (converted) style.bn_momentum = 0.01f;
  }
  return style;
}

Index repeats_of(std::size_t stage, const Definition& definition) {
  const std::span<const Stage> stages = definition.layout.stages;
  const bool fixed = definition.layout.lite && (stage == 0 || stage + 1 == stages.size());
  return fixed ? stages[stage].repeats : scale_repeats({stages[stage].repeats}, definition.scale.depth)[0];
}

InvertedResidualNames names_of(const Definition& definition, std::size_t stage, Index index, bool squeezes) {
  const Stage& row = definition.layout.stages[stage];
  const bool expands = row.expansion != 1;
  if (definition.source == from_torchvision) {
    const std::string block = "features." + std::to_string(stage + 1) + "." + std::to_string(index);
    return row.kind == fused ? torchvision::fused(block) : torchvision::inverted_residual(block, expands, squeezes);
  }
  const std::string block = timm::block(stage, index);
  if (row.kind == fused) return expands ? timm::fused(block) : timm::conv_block(block);
  return expands ? timm::inverted_residual(block) : timm::depthwise_separable(block);
}

Graph build_definition(const Definition& definition, std::string_view graph_name, const BuildOptions& options) {
  const Layout& layout = definition.layout;
  const bool torchvision_keys = definition.source == from_torchvision;
  const auto scaled = [&](Index channels) {
    return make_divisible(double(channels) * definition.scale.width, 8, layout.round_limit);
  };
  const Activation activation = layout.lite ? Activation::relu6 : Activation::silu;
  Index blocks = 0;
  for (std::size_t stage = 0; stage < layout.stages.size(); ++stage) blocks += repeats_of(stage, definition);

  NetworkBuilder net(graph_name, style_of(definition), options, blocks);
  int x = net.stem(torchvision_keys ? torchvision::conv("features.0") : timm::stem,
                   layout.lite ? layout.stem_channels : scaled(layout.stem_channels), activation);
  for (std::size_t stage = 0; stage < layout.stages.size(); ++stage) {
    const Stage& row = layout.stages[stage];
    const bool squeezes = row.kind == inverted && !layout.lite;
    for (Index index = 0; index < repeats_of(stage, definition); ++index) {
      const Index channels = net.channels(x);
      const InvertedResidual block{.expanded = row.expansion != 1 ? channels * row.expansion : 0,
                                   .out_channels = scaled(row.channels),
                                   .kernel = row.kernel,
                                   .stride = index == 0 ? row.stride : 1,
                                   .activation = activation,
                                   .squeeze_excite = {.squeeze = squeezes ? std::max<Index>(1, channels / 4) : 0,
                                                      .inner = Activation::silu,
                                                      .gate = Activation::sigmoid}};
      const InvertedResidualNames names = names_of(definition, stage, index, squeezes);
      x = row.kind == fused ? net.fused_inverted_residual(names, x, block) : net.inverted_residual(names, x, block);
    }
  }
  const ConvNames head =
      torchvision_keys ? torchvision::conv("features." + std::to_string(layout.stages.size() + 1)) : timm::head;
  x = net.conv_bn(head, x, {.out_channels = layout.lite ? head_channels : scaled(head_channels)}, activation);
  net.classifier(torchvision_keys ? "classifier.1" : "classifier", net.flatten(net.global_pool(x)));
  return std::move(net).finish();
}

}  // namespace

const Family efficientnet = table_family<definitions, build_definition>("efficientnet");

}  // namespace linnet::architectures
