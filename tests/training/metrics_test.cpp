#include "linnet/training/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include "linnet/error.h"
#include "tests/training/golden_json.h"

namespace linnet::training {
namespace {

using nlohmann::json;

bool has_ties(const std::vector<std::vector<float>>& rows) {
  return std::any_of(rows.begin(), rows.end(), [](std::vector<float> row) {
    std::sort(row.begin(), row.end());
    return std::adjacent_find(row.begin(), row.end()) != row.end();
  });
}

TEST(Metrics, EqualGoldenValues) {
  const auto path = testing::golden_data_file("metrics/metrics.json");
  if (!path) GTEST_SKIP() << "no golden_data/metrics";
  int covered = 0;
  const json file = testing::read_json(*path);
  for (const json& golden : file.at("cases")) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    ++covered;
    const Tensor logits = testing::tensor_from(golden.at("logits"));
    const Index samples = logits.dimension(0), classes = logits.dimension(1);
    Metrics metrics(classes);
    std::vector<std::vector<float>> rows;
    for (Index i = 0; i < samples; ++i) {
      rows.emplace_back(logits.data() + i * classes, logits.data() + (i + 1) * classes);
      metrics.add(rows.back(), golden.at("labels").at(static_cast<std::size_t>(i)));
      EXPECT_EQ(predicted_class(rows.back()), golden.at("prediction_argmax").at(static_cast<std::size_t>(i)));
    }
    EXPECT_EQ(metrics.samples(), samples);
    if (!has_ties(rows)) {  // the tie rule behind the listed percentages is nobody's
      EXPECT_NEAR(100 * metrics.top1(), golden.at("top1_percent"), 1e-4);
      EXPECT_NEAR(100 * metrics.top5(), golden.at("top5_percent"), 1e-4);
    }
    const json& confusion = golden.at("confusion_matrix_rows_true_columns_predicted");
    for (Index c = 0; c < classes; ++c) {
      const std::size_t i = static_cast<std::size_t>(c);
      for (Index p = 0; p < classes; ++p)
        EXPECT_EQ(metrics.confusion(c, p), confusion.at(i).at(static_cast<std::size_t>(p)));
      const ClassScores scores = metrics.scores(c);
      EXPECT_NEAR(scores.precision, golden.at("precision_per_class").at(i), 1e-12) << c;
      EXPECT_NEAR(scores.recall, golden.at("recall_per_class").at(i), 1e-12) << c;
      EXPECT_NEAR(scores.f1, golden.at("f1_per_class").at(i), 1e-12) << c;
      EXPECT_EQ(scores.support, golden.at("support").at(i)) << c;
    }
    const json& macro = golden.at("macro_precision_recall_f1");
    EXPECT_NEAR(metrics.macro_scores().precision, macro.at(0), 1e-12);
    EXPECT_NEAR(metrics.macro_scores().recall, macro.at(1), 1e-12);
    EXPECT_NEAR(metrics.macro_scores().f1, macro.at(2), 1e-12);
  }
  std::cout << covered << " tables compared\n";
  EXPECT_GT(covered, 0);
}

TEST(Metrics, TiesGoToTheLowerClassAndNanNeverWins) {
  const std::vector<float> tied = {1, 3, 3, 0};
  EXPECT_EQ(rank_of(tied, 1), 0);
  EXPECT_EQ(rank_of(tied, 2), 1);
  EXPECT_EQ(rank_of(tied, 0), 2);
  EXPECT_EQ(rank_of(tied, 3), 3);
  const std::vector<float> broken(4, std::numeric_limits<float>::quiet_NaN());
  for (const int label : {0, 1, 3}) EXPECT_EQ(rank_of(broken, label), 3);
}

// Two classes with logits (0, x): the confidence is 1 / (1 + exp(-|x|)).
TEST(Metrics, CalibrationErrorIsTheMeanGapOfFifteenBins) {
  Metrics metrics(2);
  EXPECT_EQ(metrics.calibration_error(), 0);
  const auto logit_of = [](double confidence) { return static_cast<float>(std::log(confidence / (1 - confidence))); };
  for (int i = 0; i < 4; ++i) metrics.add(std::vector<float>{0, logit_of(0.9)}, i < 3 ? 1 : 0);  // 75 % right
  for (int i = 0; i < 6; ++i) metrics.add(std::vector<float>{0, logit_of(0.7)}, 1);              // all right
  metrics.add(std::vector<float>{0, 0}, 0);    // 50 %, in (7/15, 8/15]
  metrics.add(std::vector<float>{0, 100}, 0);  // sure, and wrong
  EXPECT_NEAR(metrics.calibration_error(), (4 * 0.15 + 6 * 0.3 + 0.5 + 1) / 12, 1e-6);
  const std::vector<CalibrationBin> bins = metrics.calibration();
  ASSERT_EQ(bins.size(), 15u);
  EXPECT_EQ(bins[13].samples, 4);
  EXPECT_NEAR(bins[13].confidence, 0.9, 1e-6);
  EXPECT_EQ(bins[13].accuracy, 0.75);
  EXPECT_EQ(bins[10].samples, 6);
  EXPECT_EQ(bins[7].samples, 1);
  EXPECT_EQ(bins[14].samples, 1);
  metrics.add(std::vector<float>{std::numeric_limits<float>::quiet_NaN(), 0}, 0);
  EXPECT_EQ(metrics.calibration()[0].samples, 1);
}

TEST(Metrics, RefuseWhatDoesNotFit) {
  Metrics metrics(3);
  EXPECT_THROW(metrics.add(std::vector<float>{1, 2}, 0), Error);
  EXPECT_THROW(metrics.add(std::vector<float>{1, 2, 3}, 3), Error);
  EXPECT_EQ(metrics.top1(), 0);
}

}  // namespace
}  // namespace linnet::training
