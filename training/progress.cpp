#include "linnet/training/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace linnet::training {
namespace {

constexpr double redraw_seconds = 0.1;

std::string format(const char* pattern, auto... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::string percent(double share) { return format("%.2f %%", 100 * share); }

}  // namespace

std::string duration_text(double seconds) {
  const long long whole = std::llround(std::max(seconds, 0.0));
  if (whole < 60) return format("%lld s", whole);
  if (whole < 3600) return format("%lld min %02lld s", whole / 60, whole % 60);
  if (whole < 86400) return format("%lld h %02lld min", whole / 3600, whole / 60 % 60);
  return format("%lld d %02lld h", whole / 86400, whole / 3600 % 24);
}

Progress::Progress(const ProgressOptions& options, std::function<void(std::string_view)> write)
    : options_(options), write_(std::move(write)) {}

void Progress::on_plan(const RunPlan& plan) {
  epochs_ = plan.recipe.epochs;
  first_step_ = plan.first_step;
  last_step_ = plan.last_step;
  write_line(format("%s: %.2f M parameters, %.1f M multiply-adds at %lldx%lld", plan.model_name.c_str(),
                    static_cast<double>(plan.model.parameters) / 1e6, static_cast<double>(plan.model.macs) / 1e6,
                    static_cast<long long>(plan.height), static_cast<long long>(plan.width)));
  write_line(format("%lld pictures to train on, %lld to validate; %lld steps of %lld in each of %lld epochs",
                    static_cast<long long>(plan.training_images), static_cast<long long>(plan.validation_images),
                    static_cast<long long>(plan.steps_per_epoch), static_cast<long long>(plan.recipe.batch),
                    static_cast<long long>(epochs_)));
  write_line(format("%d %s, %s kernels, seed %lld", plan.threads, plan.threads == 1 ? "thread" : "threads",
                    plan.isa.c_str(), static_cast<long long>(plan.recipe.seed)));
  for (const std::string& note : plan.notes) write_line(note);
  if (plan.first_step > 0)
    write_line(format("goes on after step %lld of %lld", static_cast<long long>(first_step_),
                      static_cast<long long>(last_step_)));
}

void Progress::on_step(const StepReport& report) {
  seconds_ += report.seconds;
  const double per_image = report.seconds / static_cast<double>(std::max<Integer>(report.images, 1));
  seconds_per_image_ = seconds_per_image_ == 0 ? per_image : 0.95 * seconds_per_image_ + 0.05 * per_image;
  if (seconds_ < next_line_) return;
  next_line_ = seconds_ + (options_.terminal ? redraw_seconds : options_.every_seconds);
  if (options_.terminal)
    redraw(step_line(report));
  else
    write_line(step_line(report));
}

void Progress::on_validation_begin() {
  if (options_.terminal) redraw("validating ...");
}

void Progress::on_validation(const ValidationReport& report) {
  seconds_ += report.seconds;
  std::string line = format("epoch %lld/%lld  loss %.4f  top-1 ", static_cast<long long>(report.epoch),
                            static_cast<long long>(epochs_), report.training.mean_loss()) +
                     percent(report.training.top1());
  if (report.weights) line += "  validation top-1 " + percent(report.weights->top1);
  if (report.average) line += ", averaged " + percent(report.average->top1);
  line += "  " + duration_text(seconds_);
  if (report.saved) line += "  saved";
  write_line(line);
}

void Progress::on_problem(const std::string& message) { write_line("warning: " + message); }

void Progress::finish() {
  if (line_open_) write_("\n");
  line_open_ = false;
}

void Progress::redraw(std::string line) {
  const std::size_t width = static_cast<std::size_t>(std::max(options_.columns - 1, 1));
  if (line.size() > width) line.resize(width);
  write_("\r" + line + "\x1b[K");
  line_open_ = true;
}

void Progress::write_line(const std::string& line) {
  write_((line_open_ ? "\r" : "") + line + (line_open_ ? "\x1b[K\n" : "\n"));
  line_open_ = false;
}

std::string Progress::step_line(const StepReport& report) const {
  return format("epoch %lld/%lld  step %lld/%lld  loss %.4f  top-1 ", static_cast<long long>(report.epoch),
                static_cast<long long>(epochs_), static_cast<long long>(report.step),
                static_cast<long long>(last_step_), report.tally.mean_loss()) +
         percent(report.tally.top1()) + format("  %.0f images/s  ", 1 / std::max(seconds_per_image_, 1e-9)) +
         duration_text(seconds_left(report.step)) + " left";
}

// As if the rest went on as the run did so far, validations and checkpoints included.
double Progress::seconds_left(Integer step) const {
  const Integer done = std::max<Integer>(step - first_step_, 1);
  return seconds_ / static_cast<double>(done) * static_cast<double>(last_step_ - step);
}

}  // namespace linnet::training
