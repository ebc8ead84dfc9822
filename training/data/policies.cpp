#include "training/data/policies.h"

#include <array>
#include <cmath>
#include <utility>

#include "linnet/error.h"

namespace linnet::training {
namespace {

using PolicyPair = std::array<PolicyStep, 2>;

// AutoAugment's policy for ImageNet (Cubuk et al. 2019, arXiv 1805.09501, appendix).
constexpr PolicyPair imagenet_policy[] = {
    {{{"Posterize", 0.4, 8}, {"Rotate", 0.6, 9}}},  {{{"Solarize", 0.6, 5}, {"AutoContrast", 0.6, 5}}},
    {{{"Equalize", 0.8, 8}, {"Equalize", 0.6, 3}}}, {{{"Posterize", 0.6, 7}, {"Posterize", 0.6, 6}}},
    {{{"Equalize", 0.4, 7}, {"Solarize", 0.2, 4}}}, {{{"Equalize", 0.4, 4}, {"Rotate", 0.8, 8}}},
    {{{"Solarize", 0.6, 3}, {"Equalize", 0.6, 7}}}, {{{"Posterize", 0.8, 5}, {"Equalize", 1, 2}}},
    {{{"Rotate", 0.2, 3}, {"Solarize", 0.6, 8}}},   {{{"Equalize", 0.6, 8}, {"Posterize", 0.4, 6}}},
    {{{"Rotate", 0.8, 8}, {"Color", 0.4, 0}}},      {{{"Rotate", 0.4, 9}, {"Equalize", 0.6, 2}}},
    {{{"Equalize", 0, 7}, {"Equalize", 0.8, 8}}},   {{{"Invert", 0.6, 4}, {"Equalize", 1, 8}}},
    {{{"Color", 0.6, 4}, {"Contrast", 1, 8}}},      {{{"Rotate", 0.8, 8}, {"Color", 1, 2}}},
    {{{"Color", 0.8, 8}, {"Solarize", 0.8, 7}}},    {{{"Sharpness", 0.4, 7}, {"Invert", 0.6, 8}}},
    {{{"ShearX", 0.6, 5}, {"Equalize", 1, 9}}},     {{{"Color", 0.4, 0}, {"Equalize", 0.6, 3}}},
    {{{"Equalize", 0.4, 7}, {"Solarize", 0.2, 4}}}, {{{"Solarize", 0.6, 5}, {"AutoContrast", 0.6, 5}}},
    {{{"Invert", 0.6, 4}, {"Equalize", 1, 8}}},     {{{"Color", 0.6, 4}, {"Contrast", 1, 8}}},
    {{{"Equalize", 0.8, 8}, {"Equalize", 0.6, 3}}},
};

// That of the EfficientNet implementation for TPUs.
constexpr PolicyPair efficientnet_policy[] = {
    {{{"Equalize", 0.8, 1}, {"ShearY", 0.8, 4}}},
    {{{"Color", 0.4, 9}, {"Equalize", 0.6, 3}}},
    {{{"Color", 0.4, 1}, {"Rotate", 0.6, 8}}},
    {{{"Solarize", 0.8, 3}, {"Equalize", 0.4, 7}}},
    {{{"Solarize", 0.4, 2}, {"Solarize", 0.6, 2}}},
    {{{"Color", 0.2, 0}, {"Equalize", 0.8, 8}}},
    {{{"Equalize", 0.4, 8}, {"SolarizeAdd", 0.8, 3}}},
    {{{"ShearX", 0.2, 9}, {"Rotate", 0.6, 8}}},
    {{{"Color", 0.6, 1}, {"Equalize", 1, 2}}},
    {{{"Invert", 0.4, 9}, {"Rotate", 0.6, 0}}},
    {{{"Equalize", 1, 9}, {"ShearY", 0.6, 3}}},
    {{{"Color", 0.4, 7}, {"Equalize", 0.6, 0}}},
    {{{"Posterize", 0.4, 6}, {"AutoContrast", 0.4, 7}}},
    {{{"Solarize", 0.6, 8}, {"Color", 0.6, 9}}},
    {{{"Solarize", 0.2, 4}, {"Rotate", 0.8, 9}}},
    {{{"Rotate", 1, 7}, {"TranslateYRel", 0.8, 9}}},
    {{{"ShearX", 0, 0}, {"Solarize", 0.8, 4}}},
    {{{"ShearY", 0.8, 0}, {"Color", 0.6, 4}}},
    {{{"Color", 1, 0}, {"Rotate", 0.6, 2}}},
    {{{"Equalize", 0.8, 4}, {"Equalize", 0, 8}}},
    {{{"Equalize", 1, 4}, {"AutoContrast", 0.6, 2}}},
    {{{"ShearY", 0.4, 7}, {"SolarizeAdd", 0.6, 7}}},
    {{{"Posterize", 0.8, 2}, {"Solarize", 0.6, 10}}},
    {{{"Solarize", 0.6, 8}, {"Equalize", 0.6, 1}}},
    {{{"Color", 0.8, 6}, {"Rotate", 0.4, 5}}},
};

// AutoAugment's policy for CIFAR-10.
constexpr PolicyPair cifar10_policy[] = {
    {{{"Invert", 0.1, 0}, {"Contrast", 0.2, 6}}},         {{{"Rotate", 0.7, 2}, {"TranslateX", 0.3, 9}}},
    {{{"Sharpness", 0.8, 1}, {"Sharpness", 0.9, 3}}},     {{{"ShearY", 0.5, 8}, {"TranslateY", 0.7, 9}}},
    {{{"AutoContrast", 0.5, 0}, {"Equalize", 0.9, 0}}},   {{{"ShearY", 0.2, 7}, {"Posterize", 0.3, 7}}},
    {{{"Color", 0.4, 3}, {"Brightness", 0.6, 7}}},        {{{"Sharpness", 0.3, 9}, {"Brightness", 0.7, 9}}},
    {{{"Equalize", 0.6, 0}, {"Equalize", 0.5, 0}}},       {{{"Contrast", 0.6, 7}, {"Sharpness", 0.6, 5}}},
    {{{"Color", 0.7, 7}, {"TranslateX", 0.5, 8}}},        {{{"Equalize", 0.3, 0}, {"AutoContrast", 0.4, 0}}},
    {{{"TranslateY", 0.4, 3}, {"Sharpness", 0.2, 6}}},    {{{"Brightness", 0.9, 6}, {"Color", 0.2, 8}}},
    {{{"Solarize", 0.5, 2}, {"Invert", 0, 0}}},           {{{"Equalize", 0.2, 0}, {"AutoContrast", 0.6, 0}}},
    {{{"Equalize", 0.2, 0}, {"Equalize", 0.6, 0}}},       {{{"Color", 0.9, 9}, {"Equalize", 0.6, 0}}},
    {{{"AutoContrast", 0.8, 0}, {"Solarize", 0.2, 8}}},   {{{"Brightness", 0.1, 3}, {"Color", 0.7, 0}}},
    {{{"Solarize", 0.4, 5}, {"AutoContrast", 0.9, 0}}},   {{{"TranslateY", 0.9, 9}, {"TranslateY", 0.7, 9}}},
    {{{"AutoContrast", 0.9, 0}, {"Solarize", 0.8, 3}}},   {{{"Equalize", 0.8, 0}, {"Invert", 0.1, 0}}},
    {{{"TranslateY", 0.7, 9}, {"AutoContrast", 0.9, 0}}},
};

// DeiT III's three operations, one of which is taken (Touvron et al. 2022, arXiv 2204.07118).
constexpr PolicyStep three_augment[] = {{"Solarize", 1, 5}, {"Desaturate", 1, 10}, {"GaussianBlurRand", 1, 10}};

enum class PolicyStyle : std::uint8_t {
  none,
  timm_learned,
  timm_random,
  torchvision_learned,
  torchvision_random,
  trivial
};

struct PolicyRow {
  std::string_view name;
  PolicyStyle style;
  std::span<const PolicyPair> pairs = {};
  std::string_view posterize = "Posterize";  ///< which of timm's three
};

constexpr PolicyRow policy_table[] = {
    {"none", PolicyStyle::none},
    {"auto_original", PolicyStyle::timm_learned, imagenet_policy, "PosterizeOriginal"},
    {"auto_originalr", PolicyStyle::timm_learned, imagenet_policy, "PosterizeIncreasing"},
    {"auto_v0", PolicyStyle::timm_learned, efficientnet_policy},
    {"auto_v0r", PolicyStyle::timm_learned, efficientnet_policy, "PosterizeIncreasing"},
    {"auto_3a", PolicyStyle::timm_learned},
    {"auto_imagenet", PolicyStyle::torchvision_learned, imagenet_policy},
    {"auto_cifar10", PolicyStyle::torchvision_learned, cifar10_policy},
    {"rand", PolicyStyle::timm_random},
    {"rand_torchvision", PolicyStyle::torchvision_random},
    {"trivial", PolicyStyle::trivial},
};

constexpr std::pair<std::string_view, double> timm_weights[] = {
    {"Rotate", 3},
    {"ShearX", 2},
    {"ShearY", 2},
    {"TranslateXRel", 1},
    {"TranslateYRel", 1},
    {"ColorIncreasing", 0.25},
    {"SharpnessIncreasing", 0.25},
    {"AutoContrast", 0.25},
    {"SolarizeIncreasing", 0.05},
    {"SolarizeAdd", 0.05},
    {"ContrastIncreasing", 0.05},
    {"BrightnessIncreasing", 0.05},
    {"Equalize", 0.05},
    {"PosterizeIncreasing", 0.05},
    {"Invert", 0.05},
};

const PolicyRow& find_policy(const std::string& name) {
  std::string known;
  for (const PolicyRow& row : policy_table) {
    if (row.name == name) return row;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error("augmentation: unknown policy '" + name + "', expected one of " + known);
}

bool is_timm(PolicyStyle style) { return style == PolicyStyle::timm_learned || style == PolicyStyle::timm_random; }

std::vector<std::vector<PolicyStep>> steps_of(const PolicyRow& row) {
  std::vector<std::vector<PolicyStep>> steps;
  for (const PolicyPair& pair : row.pairs) {
    steps.emplace_back(pair.begin(), pair.end());
    for (PolicyStep& step : steps.back())
      if (step.operation == "Posterize") step.operation = row.posterize;
  }
  if (row.name == "auto_3a")
    for (const PolicyStep& step : three_augment) steps.push_back({step});
  return steps;
}

Sampling sampling_of(const AugmentationPolicy& policy, PolicyStyle style, const Uniform& draw) {
  std::string name = policy.sampling;
  if (name == "default") name = is_timm(style) ? "random" : "nearest";
  if (name == "random") return draw() < 0.5 ? Sampling::bilinear : Sampling::bicubic;
  if (name == "bilinear") return Sampling::bilinear;
  return name == "bicubic" ? Sampling::bicubic : Sampling::nearest;
}

/// Applies steps of either library to one picture.
class PolicyRun {
 public:
  PolicyRun(const AugmentationPolicy& policy, const PolicyRow& row, const std::vector<std::uint8_t>& mean,
            const Uniform& draw, Image image)
      : policy_(policy), row_(row), draw_(draw), image_(std::move(image)) {
    if (policy.fill == "mean" || (policy.fill == "default" && is_timm(row.style))) fill_ = mean;
  }

  void timm_step(const PolicyStep& step) {
    if (step.probability < 1 && draw_() > step.probability) return;
    double level = step.level;
    if (policy_.magnitude_deviation > 0) level = draw_normal(draw_, level, policy_.magnitude_deviation);
    level = std::clamp(level, 0.0, policy_.magnitude_limit);
    const LevelOperation& operation = find_level_operation(step.operation);
    const double sign = operation.is_signed && draw_() > 0.5 ? -1 : 1;
    apply(operation.apply, operation.argument(level, sign));
  }

  void torchvision_step(const BinOperation& operation, BinRange range, double probability, int bin, int bins) {
    if (probability < 1 && draw_() > probability) return;
    const Index size = operation.name == "TranslateY" ? image_.height : image_.width;
    const double sign = operation.is_signed && draw_() < 0.5 ? -1 : 1;
    apply(operation.apply, sign * operation.magnitude(range, bin, bins, size));
  }

  Image take() { return std::move(image_); }

 private:
  void apply(ApplyOperation operation, double argument) {
    image_ = operation(image_, argument, {sampling_of(policy_, row_.style, draw_), fill_, draw_});
  }

  const AugmentationPolicy& policy_;
  const PolicyRow& row_;
  const Uniform& draw_;
  std::vector<std::uint8_t> fill_;
  Image image_;
};

// Places in a list of operations, with replacement, or by weight and then without.
std::vector<std::size_t> choose_operations(const std::vector<std::string_view>& operations, Index count, bool weighted,
                                           const Uniform& draw) {
  std::vector<std::size_t> chosen;
  std::vector<double> weights;
  for (const std::string_view operation : operations) weights.push_back(weighted ? rand_augment_weight(operation) : 1);
  for (Index i = 0; i < count; ++i) {
    double total = 0;
    for (const double weight : weights) total += weight;
    double place = draw() * total;
    std::size_t index = 0;
    while (index + 1 < weights.size() && place >= weights[index]) place -= weights[index++];
    chosen.push_back(index);
    if (weighted) weights[index] = 0;
  }
  return chosen;
}

}  // namespace

std::vector<std::string_view> augmentation_policies() {
  std::vector<std::string_view> names;
  for (const PolicyRow& row : policy_table) names.push_back(row.name);
  return names;
}

std::vector<std::vector<PolicyStep>> learned_steps(const std::string& policy) { return steps_of(find_policy(policy)); }

std::vector<std::string_view> rand_augment_operations(bool increasing) {
  if (increasing)
    return {"AutoContrast",
            "Equalize",
            "Invert",
            "Rotate",
            "PosterizeIncreasing",
            "SolarizeIncreasing",
            "SolarizeAdd",
            "ColorIncreasing",
            "ContrastIncreasing",
            "BrightnessIncreasing",
            "SharpnessIncreasing",
            "ShearX",
            "ShearY",
            "TranslateXRel",
            "TranslateYRel"};
  return {"AutoContrast", "Equalize",   "Invert",    "Rotate", "Posterize", "Solarize",      "SolarizeAdd",  "Color",
          "Contrast",     "Brightness", "Sharpness", "ShearX", "ShearY",    "TranslateXRel", "TranslateYRel"};
}

double rand_augment_weight(std::string_view operation) {
  for (const auto& [name, weight] : timm_weights)
    if (name == operation) return weight;
  return 0;
}

void check_policy(const AugmentationPolicy& policy) {
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw Error("augmentation: " + message);
  };
  find_policy(policy.kind);
  require(policy.operations >= 0, "the number of operations is " + std::to_string(policy.operations));
  require(!policy.weighted || policy.increasing, "weighted operations are those that increase");
  const auto operations = static_cast<Index>(rand_augment_operations(true).size());
  require(!policy.weighted || policy.operations <= operations, "expected at most " + std::to_string(operations) +
                                                                   " weighted operations, found " +
                                                                   std::to_string(policy.operations));
  require(policy.magnitude >= 0 && policy.magnitude_deviation >= 0 && policy.magnitude_limit > 0,
          "magnitudes must not be negative");
  require(
      policy.kind != "rand_torchvision" || (policy.magnitude <= 30 && policy.magnitude == std::floor(policy.magnitude)),
      "the magnitude of rand_torchvision is a whole number up to 30");
  bool known = false;
  for (const char* name : {"default", "nearest", "bilinear", "bicubic", "random"}) known |= policy.sampling == name;
  require(known, "unknown sampling '" + policy.sampling + "'");
  require(policy.fill == "default" || policy.fill == "mean" || policy.fill == "black",
          "unknown fill '" + policy.fill + "'");
}

Image apply_policy(const Image& image, const AugmentationPolicy& policy, const std::vector<std::uint8_t>& fill,
                   const Uniform& draw) {
  const PolicyRow& row = find_policy(policy.kind);
  PolicyRun run(policy, row, fill, draw, image);
  constexpr int learned_bins = 10, random_bins = 31;
  const auto draw_pair = [&] {
    const std::vector<std::vector<PolicyStep>> pairs = steps_of(row);
    return pairs[static_cast<std::size_t>(draw_index(draw, static_cast<Index>(pairs.size()) - 1))];
  };
  const auto draw_operation = [&]() -> const BinOperation& {
    const Index last = static_cast<Index>(bin_operations().size()) - 2;  // all but Invert
    return bin_operations()[static_cast<std::size_t>(draw_index(draw, last))];
  };
  switch (row.style) {
    case PolicyStyle::none:
      break;
    case PolicyStyle::timm_learned:
      for (const PolicyStep& step : draw_pair()) run.timm_step(step);
      break;
    case PolicyStyle::timm_random: {
      const std::vector<std::string_view> operations = rand_augment_operations(policy.increasing);
      for (const std::size_t i : choose_operations(operations, policy.operations, policy.weighted, draw))
        run.timm_step({operations[i], policy.probability, policy.magnitude});
      break;
    }
    case PolicyStyle::torchvision_learned:
      for (const PolicyStep& step : draw_pair())
        run.torchvision_step(find_bin_operation(step.operation), BinRange::auto_augment, step.probability,
                             static_cast<int>(step.level), learned_bins);
      break;
    case PolicyStyle::torchvision_random:
      for (Index i = 0; i < policy.operations; ++i)
        run.torchvision_step(draw_operation(), BinRange::rand_augment, 1, static_cast<int>(policy.magnitude),
                             random_bins);
      break;
    case PolicyStyle::trivial: {
      const BinOperation& operation = draw_operation();
      run.torchvision_step(operation, BinRange::trivial_augment, 1, static_cast<int>(draw_index(draw, random_bins - 1)),
                           random_bins);
      break;
    }
  }
  return run.take();
}

}  // namespace linnet::training
