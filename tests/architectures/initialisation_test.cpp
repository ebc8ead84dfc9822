// What each network's first weights are drawn from, and that nothing else depends on it.
#include <gtest/gtest.h>

#include <algorithm>

#include "linnet/architectures.h"
#include "linnet/error.h"
#include "linnet/model.h"

namespace linnet::architectures {
namespace {

const Op& op_of(const Graph& graph, std::string_view name) {
  for (const Node& node : graph.nodes) {
    if (node.name == name) return node.op;
  }
  throw Error(graph.name + " has no node " + std::string(name));
}

Initial conv_initial(const Graph& graph, std::string_view name) {
  return std::get<op::Conv2d>(op_of(graph, name)).initial;
}

/// A network, its first convolution, another one, its classifier, and what the published code draws them from.
struct Expected {
  const char *network, *stem, *conv, *classifier;
  Initial of_stem, of_conv, of_classifier;
};

constexpr auto fan_out = Initial::normal_fan_out;
constexpr auto fan_out_all = Initial::normal_fan_out_all;
constexpr auto hundredth = Initial::normal_hundredth;
constexpr auto uniform_out = Initial::uniform_fan_out;
constexpr auto uniform_in = Initial::uniform_fan_in;
constexpr auto he = Initial::he_uniform;
constexpr auto slim = Initial::truncated_nine_hundredth;
constexpr auto slim_nasnet = Initial::truncated_fan_out;

constexpr Expected all_expected[] = {
    {"mobilenetv1_100", "conv_stem", "blocks.0.0.conv_dw", "classifier", fan_out, fan_out, uniform_out},
    {"mobilenetv2_100", "conv_stem", "blocks.1.0.conv_dw", "classifier", fan_out, fan_out, uniform_out},
    {"torchvision_mobilenet_v2", "features.0.0", "features.2.conv.1.0", "classifier.1", fan_out_all, fan_out_all,
     hundredth},
    {"mobilenetv3_small_100", "conv_stem", "conv_head", "classifier", fan_out, fan_out, uniform_out},
    {"tf_mobilenetv3_small_100", "conv_stem", "conv_head", "classifier", slim, slim, slim},
    {"torchvision_mobilenet_v3_small", "features.0.0", "features.1.block.1.fc1", "classifier.3", fan_out_all,
     fan_out_all, hundredth},
    {"mobilenetv4_hybrid_medium", "conv_stem", "conv_head", "classifier", fan_out, fan_out, uniform_out},
    {"efficientnet_b0", "conv_stem", "conv_head", "classifier", fan_out, fan_out, uniform_out},
    {"tf_efficientnetv2_b0", "conv_stem", "conv_head", "classifier", fan_out, fan_out, uniform_out},
    {"torchvision_efficientnet_b0", "features.0.0", "features.8.0", "classifier.1", fan_out_all, fan_out_all,
     uniform_out},
    {"shufflenetv1_g3_100", "first_conv.0", "features.0.branch_main_1.3", "classifier.0", hundredth,
     Initial::normal_channels, hundredth},
    {"pytorchcv_shufflenet_g3_w1", "features.init_block.conv", "features.stage1.unit1.dw_conv2", "output", he, he,
     uniform_in},
    {"shufflenet_v2_x1_0", "conv1.0", "conv5.0", "fc", uniform_in, uniform_in, uniform_in},
    {"squeezenet1_1", "features.0", "features.3.squeeze", "classifier.1", he, he, hundredth},
    {"nasnetamobile", "conv0.conv", "cell_stem_1.path_1.conv", "last_linear", slim_nasnet, slim_nasnet, slim_nasnet},
    {"nasnetalarge", "conv0.conv", "cell_0.conv_1x1.conv", "last_linear", slim_nasnet, slim_nasnet, slim_nasnet},
};

TEST(Initialisation, IsAsPublished) {
  for (const Expected& test : all_expected) {
    SCOPED_TRACE(test.network);
    const Graph graph = build(test.network);
    EXPECT_EQ(conv_initial(graph, test.stem), test.of_stem);
    EXPECT_EQ(conv_initial(graph, test.conv), test.of_conv);
    const Op& last = op_of(graph, test.classifier);
    const auto* linear = std::get_if<op::Linear>(&last);
    EXPECT_EQ(linear != nullptr ? linear->initial : std::get<op::Conv2d>(last).initial, test.of_classifier);
    // It travels with the graph.
    const Graph read = graph_from_json(to_json(graph));
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) EXPECT_EQ(read.nodes[i].op, graph.nodes[i].op);
  }
}

TEST(Initialisation, OfEveryNetworkIsOneOfTheseRules) {
  for (const Variant& variant : variants()) {
    SCOPED_TRACE(variant.name);
    const Graph graph = build(variant.name);
    const auto known = std::find_if(std::begin(all_expected), std::end(all_expected), [&](const Expected& test) {
      const auto& stem = std::get<op::Conv2d>(graph.nodes[1].op);
      return stem.initial == test.of_stem;
    });
    ASSERT_NE(known, std::end(all_expected));
    for (const Node& node : graph.nodes) {
      const auto* norm = std::get_if<op::BatchNorm>(&node.op);
      if (norm == nullptr) continue;
      EXPECT_EQ(norm->initial_gamma, 1) << node.name;
      EXPECT_EQ(norm->initial_beta, variant.name.starts_with("shufflenetv1") ? 1e-4f : 0) << node.name;
    }
  }
}

TEST(Initialisation, OfAttentionIsGlorots) {
  const Graph graph = build("mobilenetv4_hybrid_medium");
  int projections = 0;
  for (const Node& node : graph.nodes) {
    const auto* conv = std::get_if<op::Conv2d>(&node.op);
    if (conv == nullptr) continue;
    const bool of_attention = node.name.find(".attn.") != std::string::npos;
    projections += of_attention;
    EXPECT_EQ(conv->initial, of_attention ? Initial::glorot_uniform : fan_out) << node.name;
  }
  EXPECT_EQ(projections, 8 * 4 + 4 * 2);  // 8 attentions, 4 of them with two downsampling convolutions
}

TEST(Initialisation, CanBeChosen) {
  BuildOptions options;
  options.initialisation = initialisation_from_name("slim");
  const Graph graph = build("mobilenetv1_100", options);
  EXPECT_EQ(conv_initial(graph, "conv_stem"), slim);
  EXPECT_EQ(std::get<op::Linear>(op_of(graph, "classifier")).initial, slim);
  try {
    initialisation_from_name("tensorflow");
    ADD_FAILURE() << "found an initialisation that does not exist";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("initialisation: expected one of timm, torchvision, "), 0u);
  }
}

/// 17 blocks, 10 of them with a shortcut; the network of a graph whose blocks are their shortcuts.
TEST(Initialisation, ZeroInitLastMakesResidualBlocksTheirShortcuts) {
  BuildOptions options;
  options.zero_init_last = true;
  options.drop_path = 0.1f;
  const Graph graph = build("mobilenetv2_100", options);
  int zeros = 0;
  for (const Node& node : graph.nodes) {
    const auto* norm = std::get_if<op::BatchNorm>(&node.op);
    if (norm != nullptr && norm->initial_gamma == 0) ++zeros;
    if (!std::holds_alternative<op::Add>(node.op)) continue;
    int branch = node.inputs[0];
    while (!std::holds_alternative<op::BatchNorm>(graph.nodes[static_cast<std::size_t>(branch)].op)) {
      branch = graph.nodes[static_cast<std::size_t>(branch)].inputs[0];
    }
    EXPECT_EQ(std::get<op::BatchNorm>(graph.nodes[static_cast<std::size_t>(branch)].op).initial_gamma, 0) << node.name;
  }
  EXPECT_EQ(zeros, 10);
  EXPECT_EQ(*initial_weights(graph, 1).at("blocks.1.1.bn3.weight").data(), 0);
}

}  // namespace
}  // namespace linnet::architectures
