// A run as lines of text for a person.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "linnet/training/trainer.h"

namespace linnet::training {

struct ProgressOptions {
  bool terminal = false;      ///< redraw one line in place; otherwise write a line now and then
  int columns = 80;           ///< of the terminal; longer lines are cut
  double every_seconds = 10;  ///< between two lines where there is no terminal
};

class Progress final : public RunObserver {
 public:
  /// `write` gets text as it should appear, line breaks and control characters included.
  Progress(const ProgressOptions& options, std::function<void(std::string_view)> write);

  void on_plan(const RunPlan& plan) override;
  void on_step(const StepReport& report) override;
  void on_validation_begin() override;
  void on_validation(const ValidationReport& report) override;
  void on_problem(const std::string& message) override;

  /// Leaves the line that is redrawn, so that other text can follow. Called last.
  void finish();

 private:
  void redraw(std::string line);
  void write_line(const std::string& line);
  std::string step_line(const StepReport& report) const;
  double seconds_left(Integer step) const;

  ProgressOptions options_;
  std::function<void(std::string_view)> write_;
  Integer epochs_ = 0, first_step_ = 0, last_step_ = 0;
  double seconds_ = 0;            ///< of the run since it started or resumed
  double seconds_per_image_ = 0;  ///< smoothed
  double next_line_ = 0;
  bool line_open_ = false;
};

/// "42 s", "3 min 05 s", "2 h 07 min", "3 d 04 h"
std::string duration_text(double seconds);

}  // namespace linnet::training
