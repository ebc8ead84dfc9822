#include "linnet/training/losses.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "error_message.h"
#include "linnet/error.h"
#include "tests/training/golden_json.h"

namespace linnet::training {
namespace {

using test::message_of;

using nlohmann::json;

/// A case as our losses see it. Throws for anything unknown: every case must be covered.
autograd::Variable loss_of_case(const json& file, const json& golden, const autograd::Variable& logits,
                                ThreadPool& pool) {
  const std::string name = golden.at("name");
  const json& arguments = golden.at("arguments");
  const Tensor teacher = testing::tensor_from(file.at("teacher_logits"));
  if (name == "mean_square_logits") return distillation(logits, teacher, "mse", 1, pool);

  const std::vector<int> labels = file.at("labels");
  const Index classes = logits.value().dimension(1);
  LossOptions options;
  if (name.starts_with("bce")) options.kind = "bce";
  std::string target = "labels", reduction = "mean";
  std::optional<double> temperature;
  double hard_weight = 0, soft_weight = 1;
  bool dense = false;
  std::vector<std::size_t> ignored;
  for (const auto& [key, value] : arguments.items()) {
    if (key == "smoothing" || key == "label_smoothing") {
      options.smoothing = value;
    } else if (key == "target") {
      target = value;
    } else if (key == "weight") {
      options.class_weights = file.at(value.get<std::string>()).at("data").get<std::vector<double>>();
    } else if (key == "reduction") {
      reduction = value;
    } else if (key == "ignored_rows") {
      ignored = value.get<std::vector<std::size_t>>();
    } else if (key == "target_threshold") {
      if (!value.is_null()) options.threshold = value.get<double>();
    } else if (key == "sum_classes") {
      options.sum_classes = value;
    } else if (key == "pos_weight") {
      options.positive_weight = value;
    } else if (key == "smooth_dense") {
      dense = value;
    } else if (key == "temperature") {
      temperature = value.get<double>();
    } else if (key == "hard_weight") {
      hard_weight = value;
    } else if (key == "soft_weight") {
      soft_weight = value;
    } else {
      throw Error("argument " + key);
    }
  }
  const float smoothing = static_cast<float>(options.smoothing);
  Tensor targets = smoothed_targets(labels, classes, smoothing);
  if (target != "labels") {
    targets = testing::tensor_from(file.at(target));
    if (dense) targets = smoothed(targets, smoothing, 0.5f);
  }
  // A sample that is ignored has no targets and does not count.
  for (const std::size_t row : ignored) std::fill_n(targets.data() + static_cast<Index>(row) * classes, classes, 0.0f);
  if (!ignored.empty())
    return cross_entropy(logits, targets, pool, static_cast<double>(labels.size() - ignored.size()));
  if (reduction != "mean") return cross_entropy(logits, targets, pool, 1.0);
  if (!temperature) return loss_of(logits, targets, options, pool);
  const autograd::Variable distance = distillation(logits, teacher, "kl", *temperature, pool);
  return hard_weight == 0
             ? distance
             : weighted_sum({{loss_of(logits, targets, options, pool), hard_weight}, {distance, soft_weight}});
}

TEST(Losses, EqualGoldenValuesAndGradients) {
  const auto path = testing::golden_data_file("losses/losses.json");
  if (!path) GTEST_SKIP() << "no golden_data/losses";
  ThreadPool pool(1);
  int covered = 0;
  const json file = testing::read_json(*path);
  for (const json& golden : file.at("cases")) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    ++covered;
    const autograd::Variable logits(testing::tensor_from(file.at(golden.at("input").get<std::string>())), true);
    const autograd::Variable loss = loss_of_case(file, golden, logits, pool);
    double expected = 0;  // where there is a value per sample, their sum
    if (golden.at("value").is_array())
      for (const double value : golden.at("value")) expected += value;
    else
      expected = golden.at("value");
    EXPECT_NEAR(loss.value().data()[0], expected, 1e-5 * std::abs(expected));
    autograd::backward(loss, pool);
    const std::vector<double> gradient = golden.at("gradient").at("data");
    ASSERT_EQ(logits.gradient().size(), static_cast<Index>(gradient.size()));
    for (std::size_t i = 0; i < gradient.size(); ++i)
      EXPECT_NEAR(logits.gradient().data()[i], gradient[i], 1e-5 * std::abs(gradient[i]) + 2e-7) << i;
  }
  std::cout << covered << " losses compared\n";
  EXPECT_GT(covered, 0);
}

// Smoothing and mixing are no part of what a class weight divides out.
TEST(Losses, ClassWeightsOfMixedTargetsCountByTheirShares) {
  ThreadPool pool(1);
  LossOptions options;
  options.smoothing = 0.1;
  options.class_weights = {1, 5};
  const autograd::Variable logits(Tensor::zeros({1, 2}), true);
  const Tensor mixed = smoothed(Tensor::from({1, 2}, {0.25f, 0.75f}), 0.1f, 0.5f);
  // Both log-probabilities are -log 2.
  const double expected = std::log(2.0) * (1 * 0.275 + 5 * 0.725) / (0.25 * 1 + 0.75 * 5);
  EXPECT_NEAR(loss_of(logits, mixed, options, pool).value().data()[0], expected, 1e-6);
  options.class_weights = {1};
  EXPECT_THROW(loss_of(logits, mixed, options, pool), Error);
}

TEST(CrossEntropy, ScalesWithTheGradientOfItsResult) {
  ThreadPool pool(1);
  const autograd::Variable logits(Tensor::from({1, 2}, {1, 0}), true);
  const autograd::Variable loss = cross_entropy(logits, smoothed_targets(std::vector<int>{1}, 2, 0), pool);
  autograd::backward(loss, pool);
  autograd::backward(cross_entropy(logits, smoothed_targets(std::vector<int>{1}, 2, 0), pool), pool);
  const float probability = 1 / (1 + std::exp(-1.0f));
  EXPECT_NEAR(logits.gradient().data()[0], 2 * probability, 1e-6);  // two passes add up
  EXPECT_NEAR(logits.gradient().data()[1], -2 * probability, 1e-6);
}

TEST(CrossEntropy, NamesWhatIsWrong) {
  ThreadPool pool(1);
  EXPECT_NE(message_of([] {
              smoothed_targets(std::vector<int>{0, 3}, 3, 0);
            }).find("label 3 of sample 1"),
            std::string::npos);
  EXPECT_NE(message_of([] { smoothed_targets(std::vector<int>{-1}, 3, 0); }).find("label -1"), std::string::npos);
  EXPECT_NE(message_of([] { smoothed_targets(std::vector<int>{0}, 3, 1); }).find("[0, 1)"), std::string::npos);
  const autograd::Variable logits(Tensor::zeros({2, 3}), true);
  EXPECT_NE(message_of([&] {
              cross_entropy(logits, Tensor::zeros({2, 4}), pool);
            }).find("[2, 3] and [2, 4]"),
            std::string::npos);
  LossOptions options;
  options.kind = "bce";
  EXPECT_NE(message_of([&] {
              loss_of(logits, Tensor::zeros({3, 2}), options, pool);
            }).find("[2, 3] and [3, 2]"),
            std::string::npos);
  options.kind = "hinge";
  EXPECT_NE(message_of([&] {
              loss_of(logits, Tensor::zeros({2, 3}), options, pool);
            }).find("'hinge'"),
            std::string::npos);
  EXPECT_NE(message_of([&] { distillation(logits, Tensor::zeros({2}), "kl", 1, pool); }).find("and [2]"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              distillation(logits, Tensor::zeros({2, 3}), "kd", 1, pool);
            }).find("'kd'"),
            std::string::npos);
}

}  // namespace
}  // namespace linnet::training
