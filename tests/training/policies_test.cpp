// Policies of augmentation against the tables of timm and torchvision: golden_data/tables.
#include "training/data/policies.h"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "linnet/error.h"
#include "linnet/random.h"
#include "tests/training/golden_json.h"
#include "training/data/augment.h"

namespace linnet::training {
namespace {

using nlohmann::json;

json tables() {
  const auto path = testing::golden_data_file("tables/augment_tables.json");
  return path ? testing::read_json(*path) : json();
}

TEST(PolicyTables, LevelsBecomeTimmsArguments) {
  const json file = tables();
  if (file.is_null()) GTEST_SKIP() << "no golden_data/tables";
  const std::vector<double> levels = file.at("magnitudes");
  std::size_t known = 0;
  for (const auto& [name, golden] : file.at("timm_level_to_argument").items()) {
    SCOPED_TRACE(name);
    const LevelOperation& operation = find_level_operation(name);
    ++known;
    EXPECT_EQ(operation.is_signed, golden.contains("values_when_negated"));
    for (std::size_t i = 0; i < levels.size() && golden.contains("values"); ++i) {
      EXPECT_DOUBLE_EQ(operation.argument(levels[i], 1), golden.at("values").at(i)) << levels[i];
      if (operation.is_signed) {
        EXPECT_DOUBLE_EQ(operation.argument(levels[i], -1), golden.at("values_when_negated").at(i)) << levels[i];
      }
    }
  }
  EXPECT_EQ(known, level_operations().size());
}

TEST(PolicyTables, BinsAreTorchvisionsToTheLastBit) {
  const json file = tables();
  if (file.is_null()) GTEST_SKIP() << "no golden_data/tables";
  const Index size = file.at("image_size");
  struct Space {
    std::string name;
    BinRange range;
    int bins;
  };
  for (const auto& [key, range, bins] :
       std::vector<Space>{{"torchvision_trivialaugmentwide_31_bins", BinRange::trivial_augment, 31},
                          {"torchvision_randaugment_31_bins_224x224", BinRange::rand_augment, 31},
                          {"torchvision_autoaugment_10_bins_224x224", BinRange::auto_augment, 10}}) {
    std::set<std::string> names;
    for (const auto& [name, golden] : file.at(key).items()) {
      SCOPED_TRACE(key + " " + name);
      names.insert(name);
      const BinOperation& operation = find_bin_operation(name);
      EXPECT_EQ(operation.is_signed, golden.at("signed"));
      for (int bin = 0; bin < bins && golden.at("values").is_array(); ++bin)
        EXPECT_EQ(operation.magnitude(range, bin, bins, size), golden.at("values").at(static_cast<std::size_t>(bin)))
            << bin;
    }
    // The random ones draw from all but the last, the learned ones know no Identity.
    for (const BinOperation& operation : bin_operations()) {
      const std::string_view left_out = range == BinRange::auto_augment ? "Identity" : "Invert";
      EXPECT_EQ(names.contains(std::string(operation.name)), operation.name != left_out) << key << operation.name;
    }
  }
  EXPECT_EQ(bin_operations().back().name, "Invert");
}

TEST(PolicyTables, LearnedPoliciesAreTheirSources) {
  const json file = tables();
  if (file.is_null()) GTEST_SKIP() << "no golden_data/tables";
  std::map<std::string, json> policies;
  for (const auto& [name, golden] : file.at("timm_autoaugment_policies_name_probability_magnitude").items())
    policies["auto_" + name] = golden;
  policies["auto_imagenet"] = file.at("torchvision_autoaugment_imagenet_policies");
  policies["auto_cifar10"] = file.at("torchvision_autoaugment_cifar10_policies");
  for (const auto& [name, golden] : policies) {
    SCOPED_TRACE(name);
    const std::vector<std::vector<PolicyStep>> found = learned_steps(name);
    ASSERT_EQ(found.size(), golden.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i].size(), golden[i].size());
      for (std::size_t k = 0; k < found[i].size(); ++k) {
        EXPECT_EQ(found[i][k].operation, golden[i][k][0].get<std::string>());
        EXPECT_EQ(found[i][k].probability, golden[i][k][1].get<double>());
        if (golden[i][k][2].is_null()) continue;
        EXPECT_EQ(found[i][k].level, golden[i][k][2].get<double>());
      }
    }
  }
  std::size_t learned = 0;
  for (const std::string_view name : augmentation_policies()) learned += name.starts_with("auto_");
  EXPECT_EQ(learned, policies.size());
}

TEST(PolicyTables, RandAugmentDrawsFromTimmsOperations) {
  const json file = tables();
  if (file.is_null()) GTEST_SKIP() << "no golden_data/tables";
  const auto as_names = [](const std::vector<std::string_view>& names) {
    return std::vector<std::string>(names.begin(), names.end());
  };
  const json& randaugment = file.at("randaugment");
  EXPECT_EQ(as_names(rand_augment_operations(true)), randaugment.at("operation_order").get<std::vector<std::string>>());
  EXPECT_EQ(as_names(rand_augment_operations(false)),
            file.at("timm_randaugment_without_inc").get<std::vector<std::string>>());
  const AugmentationPolicy defaults;
  EXPECT_EQ(defaults.operations, randaugment.at("operations_per_image").get<Index>());
  EXPECT_EQ(defaults.probability, randaugment.at("probability_per_operation").get<double>());
  EXPECT_EQ(defaults.magnitude, randaugment.at("magnitude").get<double>());
  double total = 0;
  for (const auto& [name, weight] : file.at("timm_randaugment_weights").items()) {
    EXPECT_EQ(rand_augment_weight(name), weight.get<double>()) << name;
    total += weight.get<double>();
  }
  double found = 0;
  for (const std::string_view name : rand_augment_operations(true)) found += rand_augment_weight(name);
  EXPECT_DOUBLE_EQ(found, total);
}

Uniform draws_from(std::vector<double> draws) {
  return [draws, next = std::size_t{0}]() mutable { return draws.at(next++); };
}

Image picture() {
  Image image(20, 24, 3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(i * i % 251);
  return image;
}

// The draws of each kind in their order: which operation, whether, how strong, which sign, which sampling.
TEST(Policies, FollowFromTheirDraws) {
  const Image image = picture();
  const std::vector<std::uint8_t> mean = {1, 2, 3};
  AugmentationPolicy policy;
  policy.kind = "rand";
  policy.operations = 1;
  // 11.5 / 15: ShearX; 0.4: yes; 0.9: negated; 0.2: bilinear
  EXPECT_EQ(apply_policy(image, policy, mean, draws_from({11.5 / 15, 0.4, 0.9, 0.2})),
            affine(image, {1, -0.27, 0, 0, 1, 0}, Sampling::bilinear, mean));
  EXPECT_EQ(apply_policy(image, policy, mean, draws_from({11.5 / 15, 0.6})), image);
  policy.sampling = "bicubic";
  policy.fill = "black";
  EXPECT_EQ(apply_policy(image, policy, mean, draws_from({11.5 / 15, 0.4, 0.1})),
            affine(image, {1, 0.27, 0, 0, 1, 0}, Sampling::bicubic));

  policy = {};
  policy.kind = "trivial";
  // 3.5 / 14: TranslateX; bin 15 of 31, cut off to 15 pixels; 0.7: to the right
  EXPECT_EQ(apply_policy(image, policy, mean, draws_from({3.5 / 14, 15.5 / 31, 0.7})),
            affine(image, {1, 0, -15, 0, 1, 0}, Sampling::nearest));
  policy.kind = "auto_imagenet";
  // The second pair: Solarize at bin 5 of 10, then no AutoContrast.
  EXPECT_EQ(apply_policy(image, policy, mean, draws_from({1.5 / 25, 0.5, 0.7})), solarize(image, 113.33333587646484));
  policy.kind = "auto_3a";
  EXPECT_EQ(apply_policy(image, policy, mean, draws_from({1.5 / 3, 0.5})), to_grey(image));
}

TEST(Policies, MagnitudesVaryWithinTheirLimit) {
  const Image image = picture();
  AugmentationPolicy policy;
  policy.kind = "rand";
  policy.operations = 1;
  policy.probability = 1;
  policy.magnitude_deviation = 100;  // far beyond either end
  std::set<std::vector<std::uint8_t>> results;
  for (const double u : {0.3, 0.9}) {
    for (const double v : {0.1, 0.4}) {
      // Brightness, a normal number by two draws, not negated, any sampling.
      const Image result = apply_policy(image, policy, {0, 0, 0}, draws_from({9.5 / 15, u, v, 0.2, 0.2}));
      results.insert(result.pixels);
    }
  }
  EXPECT_EQ(results, (std::set<std::vector<std::uint8_t>>{image.pixels, adjust_brightness(image, 1.9).pixels}));
}

TEST(Policies, WeightedOperationsComeOnce) {
  AugmentationPolicy policy;
  policy.kind = "rand";
  policy.weighted = true;
  policy.operations = 15;
  EXPECT_NO_THROW(check_policy(policy));
  const CounterRandom random(1, 2);
  std::uint64_t next = 0;
  EXPECT_NO_THROW(apply_policy(picture(), policy, {1, 2, 3}, [&] { return double{random.uniform(next++)}; }));
  policy.operations = 16;
  EXPECT_THROW(check_policy(policy), Error);
}

TEST(Policies, RefuseWrongOptions) {
  const auto refused = [](auto change) {
    AugmentationPolicy policy;
    policy.kind = "rand";
    change(policy);
    EXPECT_THROW(check_policy(policy), Error);
  };
  refused([](AugmentationPolicy& p) { p.kind = "auto"; });
  refused([](AugmentationPolicy& p) { p.operations = -1; });
  refused([](AugmentationPolicy& p) { p.magnitude_limit = 0; });
  refused([](AugmentationPolicy& p) { p.kind = "rand_torchvision", p.magnitude = 31; });
  refused([](AugmentationPolicy& p) { p.sampling = "linear"; });
  refused([](AugmentationPolicy& p) { p.fill = "white"; });
  refused([](AugmentationPolicy& p) { p.weighted = true, p.increasing = false; });
}

TEST(RandomNumbers, HaveTheirDistributions) {
  const CounterRandom random(3, 4);
  std::uint64_t next = 0;
  const Uniform draw = [&] { return double{random.uniform(next++)}; };
  constexpr int count = 20000;
  const auto moments = [&](auto&& sample) {
    double sum = 0, squares = 0;
    for (int i = 0; i < count; ++i) {
      const double value = sample();
      sum += value;
      squares += value * value;
    }
    return std::pair(sum / count, squares / count - sum / count * (sum / count));
  };
  const auto [mean, variance] = moments([&] { return draw_normal(draw, 2, 3); });
  EXPECT_NEAR(mean, 2, 0.1);
  EXPECT_NEAR(variance, 9, 0.4);
  for (const double alpha : {0.2, 0.8, 1.0, 4.0}) {
    const auto [middle, spread] = moments([&] { return draw_beta(draw, alpha); });
    EXPECT_NEAR(middle, 0.5, 0.02) << alpha;
    EXPECT_NEAR(spread, 1 / (4 * (2 * alpha + 1)), 0.01) << alpha;
  }
}

}  // namespace
}  // namespace linnet::training
