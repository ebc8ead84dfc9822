// MobileNetV2 (arXiv 1801.04381): inverted residuals with linear bottlenecks.
#include <algorithm>
#include <array>
#include <string>

#include "architectures/blocks.h"
#include "architectures/families.h"
#include "architectures/names.h"
#include "architectures/rules.h"
#include "architectures/timm_names.h"

namespace linnet::architectures {

namespace {

struct Stage {
  Index expansion, channels, repeats, stride;
};

constexpr std::array<Stage, 7> stages = {{
    {.expansion = 1, .channels = 16, .repeats = 1, .stride = 1},   // 112 x 112
    {.expansion = 6, .channels = 24, .repeats = 2, .stride = 2},   // 56 x 56
    {.expansion = 6, .channels = 32, .repeats = 3, .stride = 2},   // 28 x 28
    {.expansion = 6, .channels = 64, .repeats = 4, .stride = 2},   // 14 x 14
    {.expansion = 6, .channels = 96, .repeats = 3, .stride = 1},   // 14 x 14
    {.expansion = 6, .channels = 160, .repeats = 3, .stride = 2},  // 7 x 7
    {.expansion = 6, .channels = 320, .repeats = 1, .stride = 1},  // 7 x 7
}};
constexpr Index stem_channels = 32;
constexpr Index head_channels = 1280;

enum class Naming { timm, torchvision };

struct Definition {
  const char* name;
  double width;
  double depth = 1;
  bool deep = false;  // stem, head and the repeats of the first and last stage stay as they are
  Naming naming = Naming::timm;
  Published published = {};
};

constexpr const char* slim = "TF-slim README";
constexpr const char* timm_csv = "timm results-imagenet.csv";

// name, width, depth, deep, naming, published
constexpr Definition definitions[] = {
    {"mobilenetv2_035", 0.35, 1, false, Naming::timm, {60.3, slim}},
    {"mobilenetv2_050", 0.5, 1, false, Naming::timm, {65.928, timm_csv}},
    {"mobilenetv2_075", 0.75, 1, false, Naming::timm, {69.8, slim}},
    {"mobilenetv2_100", 1.0, 1, false, Naming::timm, {72.910, timm_csv}},
    {"mobilenetv2_140", 1.4, 1, false, Naming::timm, {76.528, timm_csv}},
    {"mobilenetv2_110d", 1.1, 1.2, true, Naming::timm, {75.056, timm_csv}},
    {"mobilenetv2_120d", 1.2, 1.4, true, Naming::timm, {77.300, timm_csv}},
    {"torchvision_mobilenet_v2", 1.0, 1, false, Naming::torchvision, {72.154, "torchvision V2"}},
};

Index repeats_of(std::size_t stage, const Definition& definition) {
  const bool fixed = definition.deep && (stage == 0 || stage + 1 == stages.size());
  return fixed ? stages[stage].repeats : scale_repeats({stages[stage].repeats}, definition.depth)[0];
}

/// torchvision numbers the blocks through, and the parts of a block without its expansion.
InvertedResidualNames torchvision_names(Index block, bool expands) {
  const std::string prefix = "features." + std::to_string(block);
  const std::string conv = prefix + ".conv.";
  if (!expands) return {prefix, {}, {conv + "0.0", conv + "0.1"}, {}, {conv + "1", conv + "2"}};
  return {prefix, {conv + "0.0", conv + "0.1"}, {conv + "1.0", conv + "1.1"}, {}, {conv + "2", conv + "3"}};
}

Graph build_definition(const Definition& definition, std::string_view graph_name, const BuildOptions& options) {
  const bool torchvision = definition.naming == Naming::torchvision;
  const auto scaled = [&](Index channels) { return make_divisible(double(channels) * definition.width); };
  const Index stem = definition.deep ? stem_channels : scaled(stem_channels);
  const Index head = definition.deep ? head_channels : std::max(head_channels, scaled(head_channels));
  Index blocks = 0;
  for (std::size_t stage = 0; stage < stages.size(); ++stage) blocks += repeats_of(stage, definition);

  NetworkBuilder net(
      graph_name, {.dropout = 0.2f, .initialisation = torchvision ? Initialisation::torchvision : Initialisation::timm},
      options, blocks);
  int x = net.stem(torchvision ? ConvNames{"features.0.0", "features.0.1"} : timm::stem, stem, Activation::relu6);
  Index block = 0;
  for (std::size_t stage = 0; stage < stages.size(); ++stage) {
    const Stage& row = stages[stage];
    for (Index repeat = 0; repeat < repeats_of(stage, definition); ++repeat) {
      ++block;
      const bool expands = row.expansion != 1;
      const std::string prefix = timm::block(stage, repeat);
      const InvertedResidualNames names = torchvision ? torchvision_names(block, expands)
                                          : expands   ? timm::inverted_residual(prefix)
                                                      : timm::depthwise_separable(prefix);
      x = net.inverted_residual(names, x,
                                {.expanded = expands ? net.channels(x) * row.expansion : 0,
                                 .out_channels = scaled(row.channels),
                                 .stride = repeat == 0 ? row.stride : 1,
                                 .activation = Activation::relu6});
    }
  }
  const std::string last = "features." + std::to_string(block + 1);
  x = net.conv_bn(torchvision ? ConvNames{last + ".0", last + ".1"} : timm::head, x, {.out_channels = head},
                  Activation::relu6);
  net.classifier(torchvision ? "classifier.1" : "classifier", net.flatten(net.global_pool(x)));
  return std::move(net).finish();
}

std::vector<Variant> list(const char* family) { return list_variants(definitions, family); }

std::optional<Graph> build_by_name(std::string_view variant, std::string_view graph_name, const BuildOptions& options) {
  if (const auto* definition = find_definition(definitions, variant)) {
    return build_definition(*definition, graph_name, options);
  }
  if (const auto width = width_in_name(variant, "mobilenetv2_")) {
    return build_definition({.name = "", .width = *width}, graph_name, options);
  }
  return std::nullopt;
}

}  // namespace

const Family mobilenetv2{"mobilenetv2", list, build_by_name};

}  // namespace linnet::architectures
