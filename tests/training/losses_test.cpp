#include "linnet/training/losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include "error_message.h"
#include "linnet/error.h"
#include "tests/training/golden_json.h"

namespace linnet::training {
namespace {

using test::message_of;

using nlohmann::json;

// The targets of a case, or nothing if it is not a plain mean cross entropy.
Tensor targets_of(const json& file, const json& golden) {
  const json& arguments = golden.at("arguments");
  const std::string name = golden.at("name");
  const std::vector<int> labels = file.at("labels");
  const Index classes = file.at("logits").at("shape").at(1);
  for (const auto& [key, value] : arguments.items())
    if (key != "label_smoothing" && key != "smoothing" && key != "target") return {};
  if (name.starts_with("soft_target")) return testing::tensor_from(file.at("soft_targets"));
  if (name.starts_with("cross_entropy_smoothing") || name == "cross_entropy_extreme")
    return smoothed_targets(labels, classes, arguments.at("label_smoothing"));
  if (name.starts_with("timm_label_smoothing")) return smoothed_targets(labels, classes, arguments.at("smoothing"));
  return {};
}

TEST(CrossEntropy, EqualsGoldenValuesAndGradients) {
  const auto path = testing::golden_data_file("losses/losses.json");
  if (!path) GTEST_SKIP() << "no golden_data/losses";
  ThreadPool pool(1);
  int covered = 0, others = 0;
  const json file = testing::read_json(*path);
  for (const json& golden : file.at("cases")) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    const Tensor targets = targets_of(file, golden);
    if (targets.empty()) {
      ++others;
      continue;
    }
    ++covered;
    const autograd::Variable logits(testing::tensor_from(file.at(golden.at("input").get<std::string>())), true);
    const autograd::Variable loss = cross_entropy(logits, targets, pool);
    const double expected = golden.at("value");
    EXPECT_NEAR(loss.value().data()[0], expected, 1e-5 * std::abs(expected));
    autograd::backward(loss, pool);
    const std::vector<double> gradient = golden.at("gradient").at("data");
    ASSERT_EQ(logits.gradient().size(), static_cast<Index>(gradient.size()));
    for (std::size_t i = 0; i < gradient.size(); ++i)
      EXPECT_NEAR(logits.gradient().data()[i], gradient[i], 1e-5 * std::abs(gradient[i]) + 1e-7) << i;
  }
  std::cout << covered << " losses compared, " << others << " of other kinds not covered\n";
  EXPECT_GT(covered, 0);
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
}

}  // namespace
}  // namespace linnet::training
