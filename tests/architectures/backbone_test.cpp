// Networks as backbones: feature maps as outputs.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "linnet/architectures.h"
#include "linnet/error.h"
#include "linnet/random.h"
#include "linnet/session.h"
#include "linnet/training_model.h"

namespace linnet::architectures {
namespace {

Graph build_backbone(std::string_view name, std::vector<Index> strides) {
  BuildOptions options;
  options.feature_strides = std::move(strides);
  return build(name, options);
}

struct BackboneOf {
  const char* network;
  std::vector<Index> channels;  // at the strides 2, 4, 8, 16, 32
};

// timm's feature_info; for the other families the channels of the last unit of a resolution.
const BackboneOf backbones[] = {
    {"mobilenetv1_100", {64, 128, 256, 512, 1024}},
    {"mobilenetv1_100h", {64, 128, 256, 512, 1024}},
    {"mobilenetv2_100", {16, 24, 32, 96, 320}},
    {"torchvision_mobilenet_v2", {16, 24, 32, 96, 320}},
    {"mobilenetv3_large_100", {16, 24, 40, 112, 960}},
    {"mobilenetv3_small_100", {16, 16, 24, 48, 576}},
    {"mobilenetv4_conv_small", {32, 32, 64, 96, 960}},
    {"mobilenetv4_conv_blur_medium", {32, 48, 80, 160, 960}},
    {"mobilenetv4_hybrid_medium", {32, 48, 80, 160, 960}},
    {"efficientnet_b0", {16, 24, 40, 112, 320}},
    {"tf_efficientnetv2_s", {24, 48, 64, 160, 256}},
    {"nasnetalarge", {96, 168, 1008, 2016, 4032}},
    {"nasnetamobile", {32, 44, 264, 528, 1056}},
    {"shufflenetv1_g3_100", {24, 24, 240, 480, 960}},
    {"shufflenet_v2_x1_0", {24, 24, 116, 232, 464}},
};

TEST(Backbone, HasTheChannelsOfTimm) {
  for (const BackboneOf& test : backbones) {
    SCOPED_TRACE(test.network);
    const Graph graph = build_backbone(test.network, {2, 4, 8, 16, 32});
    ASSERT_EQ(graph.outputs.size(), 5u);
    const Index height = graph.input().shape[0];
    for (std::size_t i = 0; i < 5; ++i) {
      const Shape& shape = graph.nodes[static_cast<std::size_t>(graph.outputs[i])].shape;
      EXPECT_EQ(shape[2], test.channels[i]);
      EXPECT_NEAR(double(shape[0]), double(height) / double(Index{2} << i), 1);
    }
    // Nothing lies behind the last map.
    EXPECT_EQ(graph.outputs.back(), static_cast<int>(graph.nodes.size()) - 1);
    EXPECT_EQ(build_backbone(test.network, {8}).output().shape[2], test.channels[2]);
  }
}

TEST(Backbone, OfEveryNetworkHasAllItsStrides) {
  for (const Variant& variant : variants()) {
    SCOPED_TRACE(variant.name);
    const bool squeezenet = variant.family == "squeezenet";
    const Graph graph =
        build_backbone(variant.name, squeezenet ? std::vector<Index>{4, 8, 16} : std::vector<Index>{4, 8, 16, 32});
    Index before = graph.input().shape[0];
    for (const int output : graph.outputs) {
      const Shape& shape = graph.nodes[static_cast<std::size_t>(output)].shape;
      ASSERT_EQ(shape.size(), 3u);
      EXPECT_LT(shape[0], before);
      before = shape[0];
    }
    EXPECT_EQ(graph.outputs.back(), static_cast<int>(graph.nodes.size()) - 1);
  }
}

TEST(Backbone, RefusesStridesThatThereAreNot) {
  const auto message = [](std::string_view name, std::vector<Index> strides) -> std::string {
    try {
      build_backbone(name, std::move(strides));
    } catch (const Error& error) {
      return error.what();
    }
    ADD_FAILURE() << "built " << name;
    return "";
  };
  EXPECT_EQ(message("squeezenet1_1", {4, 32}),
            "build \"squeezenet1_1\": expected feature strides among 2, 4, 8, 16, found 32");
  EXPECT_NE(message("mobilenetv2_100", {0}).find("expected feature strides of at least 1, found 0"), std::string::npos);
}

/// Values by node name, as an observer of a plan sees them; and which names the outputs have there.
struct Seen {
  std::map<std::string, std::vector<float>> values;
  std::vector<std::string> outputs;
};

Seen run(const Model& model, int threads, const std::vector<float>& input, std::vector<std::string> disabled = {}) {
  const auto plan = compile(model, {.threads = threads, .disabled_passes = std::move(disabled)});
  std::vector<std::vector<float>> room;
  for (std::size_t i = 0; i < plan->output_count(); ++i) {
    room.emplace_back(static_cast<std::size_t>(element_count(plan->output_shape(i))));
  }
  const std::vector<std::span<float>> outputs(room.begin(), room.end());
  Seen seen;
  seen.outputs.resize(room.size());
  Session session(plan, threads);
  session.run(input, outputs, [&](const std::string& name, const Shape& shape, const float* values) {
    seen.values[name].assign(values, values + element_count(shape));
    for (std::size_t i = 0; i < room.size(); ++i) {
      if (values == room[i].data()) seen.outputs[i] = name;
    }
  });
  for (std::size_t i = 0; i < room.size(); ++i) EXPECT_EQ(seen.values[seen.outputs[i]], room[i]) << "output " << i;
  return seen;
}

double relative_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference = std::max(difference, std::abs(double(a[i]) - double(b[i])));
    largest = std::max(largest, std::abs(double(b[i])));
  }
  return difference / largest;
}

/// On a picture with odd sides: what the whole network has at these nodes, compiled and as it is trained.
TEST(Backbone, GivesWhatTheWholeNetworkHasThere) {
  ThreadPool pool(2);
  for (const char* name : {"mobilenetv1_025", "mobilenetv2_035", "mobilenetv3_small_050", "mobilenetv4_conv_small_035",
                           "mobilenetv4_hybrid_medium_075", "mobilenetv4_conv_blur_medium", "efficientnet_b0",
                           "shufflenetv1_g3_050", "shufflenet_v2_x0_5", "squeezenet1_1", "nasnetamobile"}) {
    SCOPED_TRACE(name);
    BuildOptions options;
    options.height = 97;
    options.width = 75;
    options.classes = 3;
    Model whole{.graph = build(name, options), .weights = {}, .preprocessing = {}, .labels = {}};
    whole.weights = initial_weights(whole.graph, 1);
    options.feature_strides = {2, 4, 8, 16};
    if (std::string_view(name) != "squeezenet1_1") options.feature_strides.push_back(32);
    Model part{.graph = build(name, options), .weights = {}, .preprocessing = {}, .labels = {}};
    for (const Parameter& parameter : parameters(part.graph)) {
      part.weights[parameter.name] = whole.weights.at(parameter.name);
    }
    EXPECT_LT(part.weights.size(), whole.weights.size());

    std::vector<float> input(static_cast<std::size_t>(element_count(part.graph.input().shape)));
    const CounterRandom random(2, 0);
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = 2 * random.uniform(i) - 1;
    TrainingModel training(part.graph, part.weights);
    const auto expected =
        training.forward_all(Tensor::from({1, 97, 75, 3}, input), TrainingModel::Mode::evaluation, 0, pool);
    for (const int threads : {1, 2}) {
      // Without blocks as one step, and with an activation for each reader of a map, so that all nodes show.
      Seen all = run(whole, threads, input, {"fuse_inverted_residual", "merge_equal_nodes", "activate_before_concat"});
      Seen features = run(part, threads, input);
      for (std::size_t i = 0; i < features.outputs.size(); ++i) {
        const std::string& node = features.outputs[i];
        SCOPED_TRACE(node);
        const std::vector<float>& found = features.values[node];
        ASSERT_EQ(found.size(), all.values[node].size());
        EXPECT_LT(relative_difference(found, all.values[node]), 2e-5);
        const Tensor& trained = expected[i].value();
        ASSERT_EQ(found.size(), static_cast<std::size_t>(trained.size()));
        EXPECT_LT(relative_difference(found, {trained.data(), trained.data() + trained.size()}), 2e-5);
      }
    }
  }
}

}  // namespace
}  // namespace linnet::architectures
