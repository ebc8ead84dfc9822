#include "linnet/training/progress.h"

#include <gtest/gtest.h>

#include <string>

namespace linnet::training {
namespace {

StepReport step_report(Integer step, double seconds) {
  StepReport report;
  report.step = step;
  report.epoch = 1;
  report.tally.loss = 20;
  report.tally.right = 30;
  report.tally.images = 40;
  report.images = 100;
  report.seconds = seconds;
  return report;
}

TEST(ProgressTest, RedrawsOnATerminalAndWritesLinesElsewhere) {
  Recipe recipe;
  recipe.epochs = 3;
  const RunPlan plan{recipe, "net", {}, 28, 28, 1000, 100, 10, 0, 30, 2, "sse2"};
  for (const bool terminal : {true, false}) {
    std::string text;
    ProgressOptions options;
    options.terminal = terminal;
    options.columns = 200;
    Progress progress(options, [&text](std::string_view part) { text += part; });
    progress.on_plan(plan);
    for (Integer step = 1; step <= 10; ++step) progress.on_step(step_report(step, 4));
    ValidationReport report;
    report.epoch = 1;
    report.weights = Score{0.5, 0.9, 1};
    progress.on_validation(report);
    progress.on_problem("a.png: damaged");
    progress.finish();
    const auto count = [&text](const std::string& part) {
      int found = 0;
      for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
      return found;
    };
    EXPECT_EQ(count("images/s"), terminal ? 10 : 4) << text;
    EXPECT_EQ(count("\r"), terminal ? 11 : 0) << text;
    EXPECT_NE(text.find("epoch 1/3  step 1/30  loss 0.5000  top-1 75.00 %  25 images/s  1 min 56 s left"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("validation top-1 90.00 %"), std::string::npos) << text;
    EXPECT_EQ(text.back(), '\n');
  }
}

TEST(ProgressTest, DurationsAreReadable) {
  EXPECT_EQ(duration_text(0.4), "0 s");
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(3 * 3600 + 125), "3 h 02 min");
  EXPECT_EQ(duration_text(100000), "1 d 03 h");
}

}  // namespace
}  // namespace linnet::training
