#include "linnet/tracking/observer.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "linnet/training/image.h"

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

void record_confusion(Tracker& tracker, const training::Metrics& metrics, const std::vector<std::string>& classes,
                      const Place& place) {
  constexpr Index most_classes = 200;  // more are megabytes, and nobody's to look at
  const Index count = metrics.classes();
  if (count > most_classes || count != static_cast<Index>(classes.size())) return;
  std::vector<std::vector<std::int64_t>> counts;
  for (Index label = 0; label < count; ++label) {
    counts.emplace_back();
    for (Index predicted = 0; predicted < count; ++predicted)
      counts.back().push_back(metrics.confusion(label, predicted));
  }
  tracker.confusion_matrix(counts, classes, place);
}

/// Picture `index` of a batch as it was before it was normalised.
training::Image picture_of(const Tensor& input, Index index, const training::Recipe& recipe) {
  const Index height = input.dimension(1), width = input.dimension(2), channels = input.dimension(3);
  training::Image image(height, width, channels);
  const float* values = input.data() + index * height * width * channels;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const std::size_t c = i % static_cast<std::size_t>(channels);
    const double mean = recipe.data.mean.empty() ? 0 : recipe.data.mean[c];
    const double deviation = recipe.data.std.empty() ? 1 : recipe.data.std[c];
    const double value = 255 * (static_cast<double>(values[i]) * deviation + mean);
    image.pixels[i] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
  }
  return image;
}

}  // namespace

TrackingObserver::TrackingObserver(Tracker& tracker, training::RunObserver& next)
    : tracker_(tracker), next_(next), lines_({}, [&tracker](std::string_view text) { tracker.output(text); }) {}

void TrackingObserver::on_plan(const training::RunPlan& plan) {
  recipe_ = plan.recipe;
  classes_ = plan.classes;
  tracker_.parameters(training::to_json(plan.recipe));
  tracker_.text("model", plan.model_name);
  tracker_.text("graph", layers_json(plan));
  const Place place{.step = plan.first_step, .context = "model"};
  tracker_.metric("parameters", static_cast<double>(plan.model.parameters), place);
  tracker_.metric("macs", static_cast<double>(plan.model.macs), place);
  lines_.on_plan(plan);
  next_.on_plan(plan);
}

void TrackingObserver::on_first_batch(const training::Batch& batch) {
  const Index images = std::min(static_cast<Index>(recipe_.tracking.images), batch.input.dimension(0));
  for (Index i = 0; i < images; ++i) {
    std::string label = classes_[static_cast<std::size_t>(batch.labels[static_cast<std::size_t>(i)])];
    std::replace(label.begin(), label.end(), '/', '-');
    tracker_.image("first batch/" + std::to_string(i) + " " + label + ".png",
                   training::encode_png(picture_of(batch.input, i, recipe_)), {.step = 0});
  }
  next_.on_first_batch(batch);
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
  if (report.saved) record_confusion(tracker_, *report.metrics, classes_, {.step = report.step, .epoch = report.epoch});
  lines_.on_validation(report);
  next_.on_validation(report);
}

void TrackingObserver::on_tensors(const training::TensorsReport& report) {
  if (recipe_.tracking.histograms > 0 && report.epoch % recipe_.tracking.histograms == 0) {
    const Place place{.step = report.step, .epoch = report.epoch};
    const auto add = [&](const std::string& folder, const Weights& tensors) {
      for (const auto& [name, tensor] : tensors)
        tracker_.histogram(folder + name, {tensor.data(), static_cast<std::size_t>(tensor.size())}, place);
    };
    add("weights/", report.weights);
    add("gradients/", report.gradients);
  }
  next_.on_tensors(report);
}

void TrackingObserver::on_problem(const std::string& message) {
  lines_.on_problem(message);
  next_.on_problem(message);
}

}  // namespace linnet::tracking
