#include "training/trainer/metrics_lines.h"

#include <algorithm>
#include <string>

namespace linnet::training {

nlohmann::ordered_json interval_line(const Checkpoint& state, Integer epoch, double learning_rate) {
  return {{"step", state.step},
          {"epoch", epoch},
          {"loss", state.interval.mean_loss()},
          {"top1", state.interval.top1()},
          {"lr", learning_rate},
          {"images_per_s", static_cast<double>(state.interval.images) / std::max(state.interval.seconds, 1e-9)},
          {"waiting", state.interval.waiting / std::max(state.interval.seconds, 1e-9)},
          {"seconds", state.seconds}};
}

nlohmann::ordered_json validation_line(const ValidationReport& report, double seconds) {
  nlohmann::ordered_json line{{"step", report.step},
                              {"epoch", report.epoch},
                              {"train_loss", report.training.mean_loss()},
                              {"train_top1", report.training.top1()}};
  const auto add = [&line](const std::string& name, const std::optional<Score>& score) {
    if (!score) return;
    line[name + "_loss"] = score->loss;
    line[name + "_top1"] = score->top1;
    line[name + "_top5"] = score->top5;
  };
  add("validation", report.weights);
  add("average", report.average);
  if (report.weights) line["saved"] = report.saved;
  line["seconds"] = seconds;
  return line;
}

}  // namespace linnet::training
