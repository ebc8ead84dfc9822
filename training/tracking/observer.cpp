#include "linnet/tracking/observer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace linnet::tracking {
namespace {

std::string layers_json(const training::RunPlan& plan) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerSummary& layer : plan.model.layers)
    layers.push_back({{"name", layer.name},
                      {"op", layer.op},
                      {"shape", layer.shape},
                      {"parameters", layer.parameters},
                      {"macs", layer.macs}});
  return nlohmann::ordered_json{{"model", plan.model_name}, {"layers", layers}}.dump();
}

}  // namespace

TrackingObserver::TrackingObserver(Tracker& tracker, training::RunObserver& next)
    : tracker_(tracker), next_(next), lines_({}, [&tracker](std::string_view text) { tracker.output(text); }) {}

void TrackingObserver::on_plan(const training::RunPlan& plan) {
  tracker_.parameters(training::to_json(plan.recipe));
  tracker_.text("model", plan.model_name);
  tracker_.text("graph", layers_json(plan));
  const Place place{.step = plan.first_step, .context = "model"};
  tracker_.metric("parameters", static_cast<double>(plan.model.parameters), place);
  tracker_.metric("macs", static_cast<double>(plan.model.macs), place);
  lines_.on_plan(plan);
  next_.on_plan(plan);
}

void TrackingObserver::on_step(const training::StepReport& report) {
  if (report.epoch != epoch_) seen_ = {};
  epoch_ = report.epoch;
  const auto images = report.tally.images - seen_.images;
  const Place train{.step = report.step, .epoch = report.epoch, .context = "train"};
  // The first step after a run was resumed within an epoch comes with the sums of all before it: nothing to tell apart.
  if (images == report.images && images > 0) {
    tracker_.metric("loss", (report.tally.loss - seen_.loss) / static_cast<double>(images), train);
    tracker_.metric("top1", static_cast<double>(report.tally.right - seen_.right) / static_cast<double>(images), train);
  }
  seen_ = report.tally;
  const Place place{.step = report.step, .epoch = report.epoch};
  tracker_.metric("learning_rate", report.learning_rate, place);
  tracker_.metric("images_per_s", static_cast<double>(report.images) / std::max(report.seconds, 1e-9), place);
  lines_.on_step(report);
  next_.on_step(report);
}

void TrackingObserver::on_validation_begin() {
  lines_.on_validation_begin();
  next_.on_validation_begin();
}

void TrackingObserver::on_validation(const training::ValidationReport& report) {
  const auto add = [&](const std::optional<training::Score>& score, const char* context) {
    if (!score) return;
    const Place place{.step = report.step, .epoch = report.epoch, .context = context};
    tracker_.metric("loss", score->loss, place);
    tracker_.metric("top1", score->top1, place);
    tracker_.metric("top5", score->top5, place);
  };
  add(report.weights, "validate");
  add(report.average, "average");
  lines_.on_validation(report);
  next_.on_validation(report);
}

void TrackingObserver::on_problem(const std::string& message) {
  lines_.on_problem(message);
  next_.on_problem(message);
}

}  // namespace linnet::tracking
