// MobileNetV3 (arXiv 1905.02244): inverted residuals with squeeze-and-excite and hard swish.
#include <cmath>
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

constexpr auto relu = Activation::relu;
constexpr auto hard_swish = Activation::hard_swish;

struct Row {
  std::size_t stage;
  Index kernel, stride;
  double expansion;  // of the block's input channels, so that widths scale; 1: no expansion
  Index channels, repeats;
  bool squeeze;
  Activation activation;
};

// stage, kernel, stride, expansion, channels, repeats, squeeze, activation
constexpr Row large[] = {
    {0, 3, 1, 1.0, 16, 1, false, relu},        // 112 x 112
    {1, 3, 2, 4.0, 24, 1, false, relu},        // 56 x 56
    {1, 3, 1, 3.0, 24, 1, false, relu},        // 56 x 56
    {2, 5, 2, 3.0, 40, 3, true, relu},         // 28 x 28
    {3, 3, 2, 6.0, 80, 1, false, hard_swish},  // 14 x 14
    {3, 3, 1, 2.5, 80, 1, false, hard_swish},  // 14 x 14
    {3, 3, 1, 2.3, 80, 2, false, hard_swish},  // 14 x 14
    {4, 3, 1, 6.0, 112, 2, true, hard_swish},  // 14 x 14
    {5, 5, 2, 6.0, 160, 3, true, hard_swish},  // 7 x 7
};

constexpr Row small[] = {
    {0, 3, 2, 1.0, 16, 1, true, relu},        // 56 x 56
    {1, 3, 2, 4.5, 24, 1, false, relu},       // 28 x 28
    {1, 3, 1, 3.67, 24, 1, false, relu},      // 28 x 28
    {2, 5, 2, 4.0, 40, 1, true, hard_swish},  // 14 x 14
    {2, 5, 1, 6.0, 40, 2, true, hard_swish},  // 14 x 14
    {3, 5, 1, 3.0, 48, 2, true, hard_swish},  // 14 x 14
    {4, 5, 2, 6.0, 96, 3, true, hard_swish},  // 7 x 7
};

constexpr Index stem_channels = 16;

struct Layout {
  std::span<const Row> rows;
  Index last_channels;  // the 1x1 convolution before the pool, a stage of its own
  Index head_channels;  // the layer behind the pool; never scaled
};
constexpr Layout large_layout{large, 960, 1280};
constexpr Layout small_layout{small, 576, 1024};

/// Whose details: padding, batch norm, names, rounding.
enum class Source { timm, tf, torchvision, rw };

struct Definition {
  const char* name;
  Source source;
  const Layout& layout;
  double width, depth;
  bool minimal;  // no squeeze-and-excite, 3x3 kernels and ReLU only
  Index resolution;
  Published published;
};

constexpr const char* timm_csv = "timm results-imagenet.csv";
constexpr const char* paper = "arXiv 1905.02244";

// name, source, layout, width, depth, minimal, resolution, published
constexpr Definition definitions[] = {
    {"mobilenetv3_small_050", Source::timm, small_layout, 0.5, 1, false, 224, {57.918, timm_csv}},
    {"mobilenetv3_small_075", Source::timm, small_layout, 0.75, 1, false, 224, {65.284, timm_csv}},
    {"mobilenetv3_small_100", Source::timm, small_layout, 1, 1, false, 224, {67.636, timm_csv}},
    {"mobilenetv3_large_075", Source::timm, large_layout, 0.75, 1, false, 224, {73.3, paper}},
    {"mobilenetv3_large_100", Source::timm, large_layout, 1, 1, false, 224, {75.784, timm_csv}},
    {"mobilenetv3_large_150d", Source::timm, large_layout, 1.5, 1.2, false, 256, {80.994, timm_csv}},
    {"mobilenetv3_rw", Source::rw, large_layout, 1, 1, false, 224, {75.616, timm_csv}},
    {"tf_mobilenetv3_small_075", Source::tf, small_layout, 0.75, 1, false, 224, {65.706, timm_csv}},
    {"tf_mobilenetv3_small_100", Source::tf, small_layout, 1, 1, false, 224, {67.922, timm_csv}},
    {"tf_mobilenetv3_small_minimal_100", Source::tf, small_layout, 1, 1, true, 224, {62.892, timm_csv}},
    {"tf_mobilenetv3_large_075", Source::tf, large_layout, 0.75, 1, false, 224, {73.442, timm_csv}},
    {"tf_mobilenetv3_large_100", Source::tf, large_layout, 1, 1, false, 224, {75.510, timm_csv}},
    {"tf_mobilenetv3_large_minimal_100", Source::tf, large_layout, 1, 1, true, 224, {72.270, timm_csv}},
    {"torchvision_mobilenet_v3_small", Source::torchvision, small_layout, 1, 1, false, 224, {67.668, "torchvision V1"}},
    {"torchvision_mobilenet_v3_large", Source::torchvision, large_layout, 1, 1, false, 224, {75.274, "torchvision V2"}},
};

Style style_of(const Definition& definition) {
  Style style{.resolution = definition.resolution, .dropout = 0.2f};
  if (definition.source != Source::timm) style.bn_epsilon = 1e-3f;
  if (definition.source == Source::torchvision) {
    style.bn_momentum = 0.01f;
    style.initialisation = Initialisation::torchvision;
  } else if (definition.source == Source::tf) {
    style.padding = Padding::Rule::same;
    style.initialisation = Initialisation::slim;
  }
  return style;
}

/// One block of the network, its names left open.
struct Block {
  std::size_t stage;
  Index index;  // within the stage
  const Row* row;
  Index stride;
};

std::vector<Block> blocks_of(const Definition& definition) {
  std::vector<Block> blocks;
  const std::span<const Row> rows = definition.layout.rows;
  for (std::size_t first = 0; first < rows.size();) {
    std::vector<Index> repeats;
    for (std::size_t i = first; i < rows.size() && rows[i].stage == rows[first].stage; ++i) {
      repeats.push_back(rows[i].repeats);
    }
    repeats = scale_repeats(repeats, definition.depth);
    Index index = 0;
    for (std::size_t i = 0; i < repeats.size(); ++i) {
      const Row& row = rows[first + i];
      for (Index repeat = 0; repeat < repeats[i]; ++repeat) {
        blocks.push_back({row.stage, index++, &row, repeat == 0 ? row.stride : 1});
      }
    }
    first += repeats.size();
  }
  return blocks;
}

Graph build_definition(const Definition& definition, std::string_view graph_name, const BuildOptions& options) {
  const Layout& layout = definition.layout;
  const bool torchvision_keys = definition.source == Source::torchvision;
  const bool rw = definition.source == Source::rw;
  const auto scaled = [&](Index channels) { return make_divisible(double(channels) * definition.width); };
  const Activation late = definition.minimal ? relu : hard_swish;
  const std::vector<Block> blocks = blocks_of(definition);
  const Index last_convs = scale_repeats({1}, definition.depth)[0];

  NetworkBuilder net(graph_name, style_of(definition), options, static_cast<Index>(blocks.size()) + last_convs);
  int x = net.stem(torchvision_keys ? torchvision::conv("features.0") : timm::stem,
                   definition.width < 0.75 ? stem_channels : scaled(stem_channels), late);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const Row& row = *blocks[i].row;
    const bool expands = row.expansion != 1;
    const bool squeezes = row.squeeze && !definition.minimal;
    const Index expanded = expands ? make_divisible(double(net.channels(x)) * row.expansion) : net.channels(x);
    const double squeeze = double(expanded) / 4;
    const std::string prefix = timm::block(blocks[i].stage, blocks[i].index);
    const InvertedResidualNames names =
        torchvision_keys ? torchvision::inverted_residual("features." + std::to_string(i + 1), expands, squeezes)
        : expands        ? timm::inverted_residual(prefix)
                         : timm::depthwise_separable(prefix);
    x = net.inverted_residual(names, x,
                              {.expanded = expands ? expanded : 0,
                               .out_channels = scaled(row.channels),
                               .kernel = definition.minimal ? 3 : row.kernel,
                               .stride = blocks[i].stride,
                               .activation = definition.minimal ? relu : row.activation,
                               .squeeze_excite = {.squeeze = !squeezes ? 0
                                                             : rw      ? static_cast<Index>(std::nearbyint(squeeze))
                                                                       : make_divisible(squeeze)},
                               .skip = !(rw && i == 0)});
  }

  for (Index i = 0; i < last_convs; ++i) {
    const std::string prefix = timm::block(blocks.back().stage + 1, i);
    const std::string last = "features." + std::to_string(blocks.size() + 1);
    net.next_block();
    const ConvNames names = torchvision_keys ? torchvision::conv(last) : ConvNames{prefix + ".conv", prefix + ".bn1"};
    x = net.feature(net.conv_bn(names, x, {.out_channels = scaled(layout.last_channels)}, late));
  }
  x = net.global_pool(x);
  if (torchvision_keys) {
    x = net.add("classifier.0", op::Linear{.out_features = layout.head_channels, .initial = net.initial().classifier},
                {net.flatten(x)});
    net.classifier("classifier.3", net.activate("classifier.0", x, late));
  } else {
    x = net.conv("conv_head", x, {.out_channels = layout.head_channels, .bias = !rw});
    net.classifier("classifier", net.flatten(net.activate("conv_head", x, late)));
  }
  return std::move(net).finish();
}

}  // namespace

const Family mobilenetv3 = table_family<definitions, build_definition>("mobilenetv3");

}  // namespace linnet::architectures
