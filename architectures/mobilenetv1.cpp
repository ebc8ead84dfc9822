// MobileNetV1 (arXiv 1704.04861): depthwise separable convolutions and nothing else.
//
// Widths: every channel count goes through make_divisible, as in timm. TF-slim truncates instead (at least 8); both
// agree at 0.25, 0.5, 0.75, 1.0 and 1.25, and elsewhere a multiple of 8 is kinder to the kernels.
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
  Index channels, repeats, stride;
};

constexpr std::array<Stage, 5> stages = {{
    {.channels = 64, .repeats = 1, .stride = 1},    // 112 x 112
    {.channels = 128, .repeats = 2, .stride = 2},   // 56 x 56
    {.channels = 256, .repeats = 2, .stride = 2},   // 28 x 28
    {.channels = 512, .repeats = 6, .stride = 2},   // 14 x 14
    {.channels = 1024, .repeats = 2, .stride = 2},  // 7 x 7
}};
constexpr Index blocks = 13;
constexpr Index stem_channels = 32;
constexpr Index head_channels = 1024;

struct Definition {
  const char* name;
  double width;
  bool head = false;  // a 1x1 convolution before the pool
  Published published = {};
};

constexpr const char* slim = "TF-slim README";
constexpr const char* timm_csv = "timm results-imagenet.csv, ra4_e3600";

constexpr Definition definitions[] = {
    {.name = "mobilenetv1_025", .width = 0.25, .published = {49.8, slim}},
    {.name = "mobilenetv1_050", .width = 0.5, .published = {63.3, slim}},
    {.name = "mobilenetv1_075", .width = 0.75, .published = {68.4, slim}},
    {.name = "mobilenetv1_100", .width = 1.0, .published = {75.388, timm_csv}},
    {.name = "mobilenetv1_100h", .width = 1.0, .head = true, .published = {75.664, timm_csv}},
    {.name = "mobilenetv1_125", .width = 1.25, .published = {76.920, timm_csv}},
};

Graph build_definition(const Definition& definition, std::string_view graph_name, const BuildOptions& options) {
  const auto scaled = [&](Index channels) { return make_divisible(double(channels) * definition.width); };
  NetworkBuilder net(graph_name, {.dropout = 0.001f}, options, blocks);
  int x = net.stem(timm::stem, scaled(stem_channels), Activation::relu6);
  for (std::size_t stage = 0; stage < stages.size(); ++stage) {
    for (Index repeat = 0; repeat < stages[stage].repeats; ++repeat) {
      x = net.inverted_residual(timm::depthwise_separable(timm::block(stage, repeat)), x,
                                {.out_channels = scaled(stages[stage].channels),
                                 .stride = repeat == 0 ? stages[stage].stride : 1,
                                 .activation = Activation::relu6,
                                 .project_activation = Activation::relu6,
                                 .skip = false});
    }
  }
  if (definition.head) {
    const Index channels = std::max(head_channels, scaled(head_channels));
    x = net.conv_bn(timm::head, x, {.out_channels = channels}, Activation::relu6);
  }
  net.classifier("classifier", net.flatten(net.global_pool(x)));
  return std::move(net).finish();
}

std::vector<Variant> list(const char* family) { return list_variants(definitions, family); }

std::optional<Graph> build_by_name(std::string_view variant, std::string_view graph_name, const BuildOptions& options) {
  if (const auto* definition = find_definition(definitions, variant)) {
    return build_definition(*definition, graph_name, options);
  }
  if (const auto width = width_in_name(variant, "mobilenetv1_")) {
    return build_definition({.name = "", .width = *width}, graph_name, options);
  }
  return std::nullopt;
}

}  // namespace

const Family mobilenetv1{"mobilenetv1", list, build_by_name};

}  // namespace linnet::architectures
