// Every variant against the counts of its reference implementation, and what the options do.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "linnet/architectures.h"
#include "linnet/error.h"
#include "linnet/summary.h"

namespace linnet::architectures {
namespace {

struct Counts {
  const char* name;
  std::int64_t parameters;
  std::int64_t run_stats;  // -1: the reference count is not known
  std::int64_t tensors;
  std::int64_t macs;
};

constexpr Counts expected_counts[] = {
    {"mobilenetv1_025", 470072, -1, 164, 41030272},
    {"mobilenetv1_050", 1331592, -1, 164, 149497088},
    {"mobilenetv1_075", 2585560, -1, 164, 325400448},
    {"mobilenetv1_100", 4231976, 21888, 164, 568740352},
    {"mobilenetv1_100_256x256", 4231976, 21888, 164, 742531072},
    {"mobilenetv1_100h", 5282600, 23936, 170, 620120576},
    {"mobilenetv1_125", 6270840, 27360, 164, 879516800},
    {"mobilenetv2_025", 1519112, -1, 314, 37201312},
    {"mobilenetv2_035", 1677128, 14080, 314, 59285808},
    {"mobilenetv2_050", 1968680, 18544, 314, 97131840},
    {"mobilenetv2_075", 2636424, 26640, 314, 209069792},
    {"mobilenetv2_100", 3504872, 34112, 314, 300774272},
    {"mobilenetv2_130", 5386792, -1, 314, 509374560},
    {"mobilenetv2_140", 6108776, 47936, 314, 582195824},
    {"mobilenetv2_110d", 4516520, 47488, 404, 430516080},
    {"mobilenetv2_120d", 5831144, 63776, 476, 668857568},
    {"torchvision_mobilenet_v2", 3504872, 34112, 314, 300774272},
    {"mobilenetv3_large_075", 3993528, 19088, 312, 154560624},
    {"tf_mobilenetv3_large_075", 3993528, 19088, 312, 154560624},
    {"mobilenetv3_large_100", 5483032, 24400, 312, 216589760},
    {"mobilenetv3_large_100_256x256", 5483032, 24400, 312, 281663360},
    {"tf_mobilenetv3_large_100", 5483032, 24400, 312, 216589760},
    {"torchvision_mobilenet_v3_large", 5483032, 24400, 312, 216589760},
    {"mobilenetv3_large_150d", 14622320, 53472, 432, 1010021120},
    {"mobilenetv3_small_050", 1593224, 6496, 244, 24188688},
    {"mobilenetv3_small_075", 2041872, 9680, 244, 43399344},
    {"tf_mobilenetv3_small_075", 2041872, 9680, 244, 43399344},
    {"mobilenetv3_small_100", 2542856, 12112, 244, 56510400},
    {"tf_mobilenetv3_small_100", 2542856, 12112, 244, 56510400},
    {"torchvision_mobilenet_v3_small", 2542856, 12112, 244, 56510400},
    {"mobilenetv3_rw", 5479918, 24400, 311, 216587936},
    {"tf_mobilenetv3_large_minimal_100", 3924288, 24400, 280, 209136704},
    {"tf_mobilenetv3_small_minimal_100", 2044736, 12112, 208, 52288448},
    {"efficientnet_b0", 5288548, 42016, 360, 385814752},
    {"efficientnet_b1", 7794184, 62048, 508, 686802832},
    {"efficientnet_b2", 9109994, 67568, 508, 993561872},
    {"efficientnet_b3", 12233232, 87296, 574, 1827141392},
    {"efficientnet_b4", 19341616, 125200, 706, 4393771024},
    {"efficientnet_b5", 30389784, 172736, 854, 10266384752},
    {"efficientnet_b6", 43040704, 224432, 986, 19067593536},
    {"efficientnet_b7", 66347960, 310720, 1200, 37745884192},
    {"tf_efficientnet_b0", 5288548, 42016, 360, 385814752},
    {"tf_efficientnet_b1", 7794184, 62048, 508, 686802832},
    {"tf_efficientnet_b2", 9109994, 67568, 508, 993561872},
    {"tf_efficientnet_b3", 12233232, 87296, 574, 1827141392},
    {"tf_efficientnet_b4", 19341616, 125200, 706, 4393771024},
    {"tf_efficientnet_b5", 30389784, 172736, 854, 10266384752},
    {"tf_efficientnet_b6", 43040704, 224432, 986, 19067593536},
    {"tf_efficientnet_b7", 66347960, 310720, 1200, 37745884192},
    {"torchvision_efficientnet_b0", 5288548, 42016, 360, 385814752},
    {"torchvision_efficientnet_b1", 7794184, 62048, 508, 686802832},
    {"torchvision_efficientnet_b2", 9109994, 67568, 508, 993561872},
    {"torchvision_efficientnet_b3", 12233232, 87296, 574, 1827141392},
    {"torchvision_efficientnet_b4", 19341616, 125200, 706, 4393771024},
    {"torchvision_efficientnet_b5", 30389784, 172736, 854, 10266384752},
    {"torchvision_efficientnet_b6", 43040704, 224432, 986, 19067593536},
    {"torchvision_efficientnet_b7", 66347960, 310720, 1200, 37745884192},
    {"efficientnet_b1_256x256", 7794184, 62048, 508, 743303680},
    {"efficientnet_b2_288x288", 9109994, 67568, 508, 1087529456},
    {"efficientnet_b4_320x320", 19341616, 125200, 706, 3063687008},
    {"efficientnet_lite0", 4652008, 42016, 296, 385187552},
    {"efficientnet_lite1", 5416680, 53664, 386, 600185232},
    {"efficientnet_lite2", 6092072, 58096, 386, 859736272},
    {"efficientnet_lite3", 8197096, 76672, 440, 1383321872},
    {"efficientnet_lite4", 13006568, 112368, 548, 2553034336},
    {"tf_efficientnet_lite0", 4652008, 42016, 296, 385187552},
    {"tf_efficientnet_lite1", 5416680, 53664, 386, 600185232},
    {"tf_efficientnet_lite2", 6092072, 58096, 386, 859736272},
    {"tf_efficientnet_lite3", 8197096, 76672, 440, 1383321872},
    {"tf_efficientnet_lite4", 13006568, 112368, 548, 2553034336},
    {"tf_efficientnet_lite3_300x300", 8197096, 76672, 440, 1607554544},
    {"tf_efficientnet_lite4_380x380", 13006568, 112368, 548, 3943564112},
    {"tf_efficientnetv2_b0", 7139704, 60608, 420, 718086176},
    {"tf_efficientnetv2_b1", 8141052, 71072, 516, 1196819360},
    {"tf_efficientnetv2_b2", 10096086, 82288, 538, 1697542832},
    {"tf_efficientnetv2_b3", 14358406, 109216, 626, 3011458816},
    {"tf_efficientnetv2_s", 21458488, 153872, 782, 8365617152},
    {"tf_efficientnetv2_m", 54139356, 292032, 1120, 24582460384},
    {"tf_efficientnetv2_l", 118515272, 512576, 1548, 56079699008},
    {"torchvision_efficientnet_v2_s", 21458488, 153872, 782, 8365617152},
    {"torchvision_efficientnet_v2_m", 54139356, 292032, 1120, 24582460384},
    {"torchvision_efficientnet_v2_l", 118515272, 512576, 1548, 56079699008},
    {"tf_efficientnetv2_s_300x300", 21458488, 153872, 782, 5307561248},
    {"shufflenet_v2_x0_5", 1366792, 7952, 338, 40476448},
    {"shufflenet_v2_x1_0", 2278604, 16180, 338, 144907992},
    {"shufflenet_v2_x1_5", 3503624, 23440, 338, 295759392},
    {"shufflenet_v2_x2_0", 7393996, 33716, 338, 583253464},
    {"mobilenetv4_conv_small_035", 1905384, 10688, 278, 47723040},
    {"mobilenetv4_conv_small_050", 2238952, 13856, 278, 64741408},
    {"mobilenetv4_conv_small", 3774024, 25088, 278, 186005568},
    {"mobilenetv4_conv_small_256x256", 3774024, 25088, 278, 242178048},
    {"mobilenetv4_conv_medium", 9715512, 67904, 464, 1080244224},
    {"mobilenetv4_conv_medium_224x224", 9715512, 67904, 464, 827649984},
    {"mobilenetv4_conv_large", 32590864, 149552, 614, 6376220672},
    {"mobilenetv4_conv_large_320x320", 32590864, 149552, 614, 4428697600},
    {"mobilenetv4_hybrid_medium", 11074648, 75840, 632, 1271183360},
    {"mobilenetv4_hybrid_medium_224x224", 11074648, 75840, 632, 966311360},
    {"mobilenetv4_hybrid_medium_384x384", 11074648, 75840, 632, 2974991360},
    {"mobilenetv4_hybrid_large", 37764624, 164400, 787, 7711877120},
    {"mobilenetv4_hybrid_large_448x448", 37764624, 164400, 787, 10662801408},
    {"mobilenetv4_hybrid_medium_075", 7313528, -1, 632, 649844400},
    {"mobilenetv4_hybrid_large_075", 22754984, -1, 787, 2036234240},
    {"mobilenetv4_conv_aa_medium", 9715512, 67904, 464, 1561798656},
    {"mobilenetv4_conv_blur_medium", 9715512, 67904, 464, 1196340096},
    {"mobilenetv4_conv_aa_large", 32590864, 149552, 614, 7007590400},
    {"nasnetamobile", 5289978, 36738, 1318, 568234858},
    {"nasnetalarge", 88753150, 196668, 1810, 23783414658},
    {"shufflenetv1_g3_050", 717324, -1, 295, 37589856},
    {"shufflenetv1_g3_100", 1864728, -1, 295, 137460672},
    {"shufflenetv1_g1_100", 1531936, -1, 296, 143078976},
    {"shufflenetv1_g2_100", 1733848, -1, 296, 140836512},
    {"shufflenetv1_g4_100", 1968344, -1, 296, 134339776},
    {"shufflenetv1_g3_150", 3441168, -1, 295, 292443552},
    {"shufflenetv1_g3_200", 5449776, -1, 295, 524045184},
    {"shufflenetv1_g8_050", 1010448, -1, 295, 40469760},
    {"shufflenetv1_g8_100", 2433768, -1, 295, 138365952},
    {"shufflenetv1_g8_150", 4268952, -1, 295, 290188800},
    {"shufflenetv1_g8_200", 6521232, -1, 295, 521942016},
    {"shufflenetv1_g1_150", 2993032, -1, 296, 308096352},
    {"shufflenetv1_g1_200", 4918096, -1, 296, 538141824},
    {"shufflenetv1_g2_200", 5256048, -1, 296, 524424512},
    {"shufflenetv1_g4_200", 5590432, -1, 296, 492564864},
    {"pytorchcv_shufflenet_g1_w1", 1531936, -1, 296, 143078976},
    {"pytorchcv_shufflenet_g2_w1", 1733848, -1, 296, 140836512},
    {"pytorchcv_shufflenet_g3_w1", 1865728, -1, 296, 137460672},
    {"pytorchcv_shufflenet_g4_w1", 1968344, -1, 296, 134339776},
    {"pytorchcv_shufflenet_g8_w1", 2434768, -1, 296, 138365952},
    {"pytorchcv_shufflenet_g1_w3d4", 975214, -1, 296, 82542672},
    {"pytorchcv_shufflenet_g3_w3d4", 1238266, -1, 296, 79740144},
    {"pytorchcv_shufflenet_g1_wd2", 534484, -1, 296, 38517408},
    {"pytorchcv_shufflenet_g3_wd2", 718324, -1, 296, 37589856},
    {"pytorchcv_shufflenet_g1_wd4", 209746, -1, 296, 11003184},
    {"pytorchcv_shufflenet_g3_wd4", 305902, -1, 296, 11009808},
    {"squeezenet1_0", 1248424, 0, 52, 818924576},
    {"squeezenet1_1", 1235496, 0, 52, 349151936},
    {"squeezenet1_0_simple_bypass", 1248424, 0, 52, 818924576},
    // Counted by hand: four 1x1 convolutions, 96 to 128 and 128 to 256 at 54 x 54, 256 to 384 and 384 to 512 at 27
    // x 27.
    {"squeezenet1_0_complex_bypass", 1248424 + 341248, 0, 60, 818924576 + 346374144},
};

TEST(Variants, HaveTheCountsOfTheirReferences) {
  std::set<std::string> checked;
  for (const Counts& expected : expected_counts) {
    SCOPED_TRACE(expected.name);
    const Summary found = summary(build(expected.name));
    EXPECT_EQ(found.parameters, expected.parameters);
    EXPECT_EQ(found.run_stats, expected.run_stats >= 0 ? expected.run_stats : found.run_stats);
    EXPECT_EQ(found.tensors, expected.tensors);
    EXPECT_EQ(found.macs, expected.macs);
    checked.insert(expected.name);
  }
  // ShuffleNetV1 exists at more points than anyone has published.
  for (const Variant& variant : variants()) {
    EXPECT_TRUE(checked.contains(variant.name) || (variant.family == "shufflenetv1" && variant.top1 == 0))
        << variant.name;
  }
}

TEST(Variants, AreListedOnceWithFamilyResolutionAndSource) {
  std::set<std::string> names;
  for (const Variant& variant : variants()) {
    SCOPED_TRACE(variant.name);
    EXPECT_TRUE(names.insert(variant.name).second);
    EXPECT_FALSE(variant.family.empty());
    EXPECT_EQ(variant.top1 > 0, !variant.source.empty());
    EXPECT_LT(variant.top1, 100);
    const Graph graph = build(variant.name);
    EXPECT_EQ(graph.name, variant.name);
    EXPECT_EQ(graph.input().shape, (Shape{variant.resolution, variant.resolution, 3}));
    EXPECT_EQ(graph.output().shape, Shape{1000});
  }
}

/// The values of one field of every op of type T.
template <class T, class Field>
auto values_of(const Graph& graph, Field T::*field) {
  std::vector<Field> values;
  for (const Node& node : graph.nodes) {
    if (const T* op = std::get_if<T>(&node.op)) values.push_back(op->*field);
  }
  return values;
}

/// All parameters of `features` are those of `graph`; what `graph` has besides has one row per class.
void expect_classifier_left_out(const Graph& graph, const Graph& features) {
  const std::vector<Parameter> all = parameters(graph);
  const std::vector<Parameter> kept = parameters(features);
  ASSERT_LT(kept.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i < kept.size()) {
      EXPECT_EQ(all[i].name, kept[i].name);
      EXPECT_EQ(all[i].shape, kept[i].shape) << all[i].name;
    } else {
      EXPECT_EQ(all[i].shape.front(), graph.output().shape.front()) << all[i].name;
    }
  }
}

TEST(Variants, EveryoneHonoursTheOptions) {
  for (const Variant& variant : variants()) {
    SCOPED_TRACE(variant.name);
    BuildOptions options;
    options.classes = 7;
    options.in_channels = 1;
    options.height = 97;
    options.width = 161;
    options.dropout = 0.375f;
    options.drop_path = 0.25f;
    options.padding = Padding::Rule::same;
    options.bn_epsilon = 0.0625f;
    const Graph graph = build(variant.name, options);
    EXPECT_EQ(graph.input().shape, (Shape{97, 161, 1}));
    EXPECT_EQ(graph.output().shape, Shape{7});
    EXPECT_EQ(values_of(graph, &op::Dropout::rate), std::vector<float>{0.375f});
    for (const float epsilon : values_of(graph, &op::BatchNorm::epsilon)) EXPECT_EQ(epsilon, 0.0625f);

    // Residual branches are dropped more and more often, and all of them but the first block's.
    const std::vector<float> rates = values_of(graph, &op::DropPath::rate);
    EXPECT_TRUE(std::is_sorted(rates.begin(), rates.end()));
    const auto sums = values_of(graph, &op::Add::activation).size();
    if (variant.family == "nasnet") {
      EXPECT_GT(rates.size(), sums);  // every operation of a cell is a path of its own
    } else {
      EXPECT_LE(rates.size(), sums);
      EXPECT_GE(rates.size() + 1, sums);
    }
    for (const float rate : rates) {
      EXPECT_GT(rate, 0);
      EXPECT_LT(rate, 0.25f);
    }

    // Whatever strides follows the padding rule that was asked for.
    options.padding = Padding::Rule::symmetric;
    const Graph symmetric = build(variant.name, options);
    for (const auto& [built, rule] :
         {std::pair(&graph, Padding::Rule::same), std::pair(&symmetric, Padding::Rule::symmetric)}) {
      int striding = 0;
      for (const Node& node : built->nodes) {
        const auto check = [&, expected = rule](const auto& op) {
          if (op.stride == 1) return;
          ++striding;
          if (node.name == "conv0.conv" || node.name.find(".path_") != std::string::npos) return;  // NASNet, unpadded
          EXPECT_EQ(op.padding.rule, expected) << node.name;
        };
        if (const auto* conv = std::get_if<op::Conv2d>(&node.op)) check(*conv);
        if (const auto* pool = std::get_if<op::MaxPool>(&node.op)) check(*pool);
        // These two halve without padding, or with their own.
        if (const auto* pool = std::get_if<op::AveragePool>(&node.op)) striding += pool->stride > 1;
        striding += std::holds_alternative<op::BlurPool>(node.op);
      }
      EXPECT_GE(striding, 4);
    }

    // Features only: the same network without its last layer, and nothing random at the end.
    options.classes = 0;
    const Graph features = build(variant.name, options);
    EXPECT_EQ(features.output().shape.size(), 1u);
    EXPECT_TRUE(values_of(features, &op::Dropout::rate).empty());
    expect_classifier_left_out(graph, features);

    BuildOptions small;
    small.height = 32;
    small.stem_stride = 1;
    const Graph picture = build(variant.name, small);
    EXPECT_EQ(picture.input().shape, (Shape{32, 32, 3}));
    EXPECT_EQ(std::get<op::Conv2d>(picture.nodes[1].op).stride, 1);
    EXPECT_EQ(summary(picture).parameters, summary(build(variant.name)).parameters);
  }
}

TEST(Variants, KeepTheDetailsOfTheirSource) {
  const auto epsilon = [](const char* name) { return values_of(build(name), &op::BatchNorm::epsilon).at(0); };
  const auto momentum = [](const char* name) { return values_of(build(name), &op::BatchNorm::momentum).at(0); };
  const auto dropout = [](const char* name) { return values_of(build(name), &op::Dropout::rate).at(0); };
  EXPECT_EQ(epsilon("mobilenetv3_large_100"), 1e-5f);
  EXPECT_EQ(epsilon("mobilenetv3_rw"), 1e-3f);
  EXPECT_EQ(epsilon("tf_mobilenetv3_large_100"), 1e-3f);
  EXPECT_EQ(epsilon("torchvision_mobilenet_v3_large"), 1e-3f);
  EXPECT_EQ(epsilon("torchvision_mobilenet_v2"), 1e-5f);
  EXPECT_EQ(momentum("torchvision_mobilenet_v3_large"), 0.01f);
  EXPECT_EQ(momentum("tf_mobilenetv3_large_100"), 0.1f);
  EXPECT_EQ(dropout("mobilenetv1_100"), 0.001f);
  EXPECT_EQ(dropout("mobilenetv2_100"), 0.2f);
  EXPECT_EQ(dropout("mobilenetv3_small_100"), 0.2f);
}

TEST(Variants, SuffixesOverrideTheOptions) {
  BuildOptions options;
  options.classes = 3;
  options.height = 64;
  const Graph graph = build("mobilenetv2_100_97x161_c5", options);
  EXPECT_EQ(graph.name, "mobilenetv2_100_97x161_c5");
  EXPECT_EQ(graph.input().shape, (Shape{97, 161, 3}));
  EXPECT_EQ(graph.output().shape, Shape{5});
}

TEST(Variants, UnknownOnesGetTheNearestNames) {
  const auto message = [](std::string_view name, const BuildOptions& options = {}) -> std::string {
    try {
      build(name, options);
    } catch (const Error& error) {
      return error.what();
    }
    ADD_FAILURE() << "built " << name;
    return "";
  };
  EXPECT_EQ(message("mobilenetv2_10").find("unknown network \"mobilenetv2_10\"; the nearest known ones are"), 0u);
  EXPECT_NE(message("mobilnetv3_small_100_c5").find(" mobilenetv3_small_100"), std::string::npos);
  message("mobilenetv2_100_0x32");
  message("");
  message("mobilenetv1_000");
  BuildOptions options;
  options.classes = -1;
  message("mobilenetv2_100", options);
  options = {};
  options.in_channels = 0;
  message("mobilenetv2_100", options);
  options = {};
  options.stem_stride = 0;
  message("mobilenetv2_100", options);
  options = {};
  options.dropout = 1.0f;
  message("mobilenetv2_100", options);
  options = {};
  options.drop_path = -0.5f;
  message("mobilenetv2_100", options);
}

}  // namespace
}  // namespace linnet::architectures
