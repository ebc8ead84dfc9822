// ShuffleNetV1 (arXiv 1707.01083). Two definitions with public weights that differ in details: megvii's, here at all
// groups and widths ("shufflenetv1_g3_100"), and the paper's order as in pytorchcv ("pytorchcv_shufflenet_g3_w1").
#include <array>
#include <string>

#include "architectures/blocks.h"
#include "architectures/families.h"
#include "architectures/names.h"

namespace linnet::architectures {

namespace {

constexpr std::array<Index, 3> repeats{4, 8, 4};  // 28 x 28, 14 x 14, 7 x 7; the first unit of each has stride 2
constexpr Index stem_channels = 24;               // 112 x 112, then a max pool: 56 x 56

struct Groups {
  Index groups;
  Index channels;  // of the first stage at width 1; each further stage has twice as many
};
constexpr Groups all_groups[] = {{1, 144}, {2, 200}, {3, 240}, {4, 272}, {8, 384}};

enum class Source { megvii, pytorchcv };

struct Width {
  Source source;
  const char* suffix;
  double width;
};
constexpr Width widths[] = {
    {Source::megvii, "_025", 0.25},    {Source::megvii, "_050", 0.5},    {Source::megvii, "_075", 0.75},
    {Source::megvii, "_100", 1},       {Source::megvii, "_150", 1.5},    {Source::megvii, "_200", 2},
    {Source::pytorchcv, "_wd4", 0.25}, {Source::pytorchcv, "_wd2", 0.5}, {Source::pytorchcv, "_w3d4", 0.75},
    {Source::pytorchcv, "_w1", 1},
};

/// What was published with weights. megvii scales the stem as it sees fit, and its classifier has no bias.
struct Release {
  Source source;
  Index groups;
  double width;
  Index stem_channels;
  Published published;
};
constexpr const char* megvii_readme = "megvii ShuffleNet-Series README";
constexpr const char* pytorchcv_readme = "pytorchcv README";
constexpr Release releases[] = {
    {Source::megvii, 3, 0.5, 12, {57.3, megvii_readme}},
    {Source::megvii, 3, 1, 24, {67.8, megvii_readme}},
    {Source::megvii, 3, 1.5, 24, {71.6, megvii_readme}},
    {Source::megvii, 3, 2, 48, {74.1, megvii_readme}},
    {Source::megvii, 8, 0.5, 16, {58.8, megvii_readme}},
    {Source::megvii, 8, 1, 24, {68.0, megvii_readme}},
    {Source::megvii, 8, 1.5, 24, {71.0, megvii_readme}},
    {Source::megvii, 8, 2, 48, {72.9, megvii_readme}},
    {Source::pytorchcv, 1, 0.25, 6, {37.56, pytorchcv_readme}},
    {Source::pytorchcv, 1, 0.5, 12, {53.41, pytorchcv_readme}},
    {Source::pytorchcv, 1, 0.75, 18, {60.42, pytorchcv_readme}},
    {Source::pytorchcv, 1, 1, 24, {65.07, pytorchcv_readme}},
    {Source::pytorchcv, 2, 1, 24, {65.75, pytorchcv_readme}},
    {Source::pytorchcv, 3, 0.25, 6, {38.26, pytorchcv_readme}},
    {Source::pytorchcv, 3, 0.5, 12, {55.84, pytorchcv_readme}},
    {Source::pytorchcv, 3, 0.75, 18, {61.80, pytorchcv_readme}},
    {Source::pytorchcv, 3, 1, 24, {65.61, pytorchcv_readme}},
    {Source::pytorchcv, 4, 1, 24, {65.81, pytorchcv_readme}},
    {Source::pytorchcv, 8, 1, 24, {65.94, pytorchcv_readme}},
};

/// The paper's numbers for the networks that it defines and nobody published weights of. At other widths it leaves the
/// channels open, so that those here are others.
constexpr Release paper_releases[] = {
    {Source::megvii, 1, 1, 24, {66.4, "arXiv 1707.01083"}},
    {Source::megvii, 2, 1, 24, {67.3, "arXiv 1707.01083"}},
    {Source::megvii, 4, 1, 24, {67.2, "arXiv 1707.01083"}},
};

struct Definition {
  std::string name;
  Source source;
  Index groups;
  Index stem_channels;
  Index channels;  // of the first stage
  bool classifier_bias;
  Published published;
};

constexpr Index round_up(Index value, Index divisor) { return (value + divisor - 1) / divisor * divisor; }

/// Where nothing was published the channels are rounded up so that all groups divide (the paper gives no rule).
Definition define(const Groups& groups, const Width& width) {
  const std::string prefix = width.source == Source::megvii ? "shufflenetv1_g" : "pytorchcv_shufflenet_g";
  const auto scaled = [&](Index channels) { return static_cast<Index>(double(channels) * width.width); };
  Definition definition{
      .name = prefix + std::to_string(groups.groups) + width.suffix,
      .source = width.source,
      .groups = groups.groups,
      .stem_channels = width.source == Source::megvii ? stem_channels : round_up(scaled(stem_channels), groups.groups),
      .channels = round_up(scaled(groups.channels), 4 * groups.groups),
      .classifier_bias = true,
      .published = {}};
  const auto is_this = [&](const Release& release) {
    return release.source == width.source && release.groups == groups.groups && release.width == width.width;
  };
  for (const Release& release : paper_releases) {
    if (is_this(release)) definition.published = release.published;
  }
  for (const Release& release : releases) {
    if (!is_this(release)) continue;
    definition.stem_channels = release.stem_channels;
    definition.classifier_bias = width.source != Source::megvii;
    definition.published = release.published;
  }
  return definition;
}

std::vector<Definition> definitions() {
  std::vector<Definition> all;
  for (const Width& width : widths) {
    for (const Groups& groups : all_groups) all.push_back(define(groups, width));
  }
  return all;
}

/// megvii's shuffle goes the other way round: channel j * groups + i moves to i * (C / groups) + j.
int shuffle(NetworkBuilder& net, const Definition& definition, const std::string& prefix, int x) {
  if (definition.groups == 1) return x;
  const bool inverse = definition.source == Source::megvii;
  return net.add(prefix + ".shuffle",
                 op::ChannelShuffle{inverse ? net.channels(x) / definition.groups : definition.groups}, {x});
}

struct UnitNames {
  std::string unit;
  ConvNames compress, depthwise, expand;
};

UnitNames names_of(const Definition& definition, std::size_t stage, Index unit) {
  if (definition.source == Source::megvii) {
    Index index = unit;
    for (std::size_t i = 0; i < stage; ++i) index += repeats[i];
    const std::string name = "features." + std::to_string(index);
    const std::string first = name + ".branch_main_1.", second = name + ".branch_main_2.";
    return {name, {first + "0", first + "1"}, {first + "3", first + "4"}, {second + "0", second + "1"}};
  }
  const std::string name = "features.stage" + std::to_string(stage + 1) + ".unit" + std::to_string(unit + 1);
  return {name,
          {name + ".compress_conv1", name + ".compress_bn1"},
          {name + ".dw_conv2", name + ".dw_bn2"},
          {name + ".expand_conv3", name + ".expand_bn3"}};
}

/// `first`: of the network; its input has too few channels for groups.
int add_unit(NetworkBuilder& net, const Definition& definition, const UnitNames& names, int x, Index channels,
             bool downsamples, bool first) {
  const Index bottleneck = channels / 4, stride = downsamples ? 2 : 1;
  const bool megvii = definition.source == Source::megvii;
  int y = net.conv_bn(names.compress, x, {.out_channels = bottleneck, .groups = first ? 1 : definition.groups},
                      Activation::relu);
  if (!megvii) y = shuffle(net, definition, names.unit, y);
  y = net.depthwise_bn(names.depthwise, y, 3, stride, Activation::none);
  if (megvii) y = shuffle(net, definition, names.unit, y);
  const Index branch_channels = downsamples ? channels - net.channels(x) : channels;
  y = net.conv_bn(names.expand, y, {.out_channels = branch_channels, .groups = definition.groups}, Activation::none);
  if (!downsamples) return net.activate(names.unit, net.add_shortcut(names.unit, x, y), Activation::relu);
  // The pooled shortcut is not negative, so that ReLU before the concatenation is ReLU behind it.
  y = net.activate(names.unit, y, Activation::relu);
  const int pooled =
      net.add(names.unit + ".pool",
              op::AveragePool{.kernel = 3, .stride = 2, .padding = net.padding(3, 2), .count_padding = true}, {x});
  return net.add(names.unit + ".concat", op::Concat{}, megvii ? std::vector{pooled, y} : std::vector{y, pooled});
}

Graph build_definition(const Definition& definition, std::string_view graph_name, const BuildOptions& options) {
  const bool megvii = definition.source == Source::megvii;
  NetworkBuilder net(graph_name, {.initialisation = megvii ? Initialisation::megvii : Initialisation::pytorchcv},
                     options, repeats[0] + repeats[1] + repeats[2]);
  const ConvNames stem = megvii ? ConvNames{"first_conv.0", "first_conv.1"}
                                : ConvNames{"features.init_block.conv", "features.init_block.bn"};
  int x = net.stem(stem, definition.stem_channels, Activation::relu);
  x = net.feature(net.add("maxpool", op::MaxPool{.kernel = 3, .stride = 2, .padding = net.padding(3, 2)}, {x}));
  Index channels = definition.channels;
  for (std::size_t stage = 0; stage < repeats.size(); ++stage, channels *= 2) {
    for (Index unit = 0; unit < repeats[stage]; ++unit) {
      net.next_block();
      const bool first = stage == 0 && unit == 0;
      x = net.feature(add_unit(net, definition, names_of(definition, stage, unit), x, channels, unit == 0, first));
    }
  }
  net.classifier(megvii ? "classifier.0" : "output", net.flatten(net.global_pool(x)), definition.classifier_bias);
  return std::move(net).finish();
}

std::vector<Variant> list(const char* family) { return list_variants(definitions(), family); }

std::optional<Graph> build_by_name(std::string_view variant, std::string_view graph_name, const BuildOptions& options) {
  const std::vector<Definition> table = definitions();
  const auto* definition = find_definition(table, variant);
  if (definition == nullptr) return std::nullopt;
  return build_definition(*definition, graph_name, options);
}

}  // namespace

const Family shufflenetv1{"shufflenetv1", list, build_by_name};

}  // namespace linnet::architectures
