// Records a training run, and passes everything on to another observer.
#pragma once

#include "linnet/tracking/tracker.h"
#include "linnet/training/progress.h"
#include "linnet/training/trainer.h"

namespace linnet::tracking {

/// Per step: train/loss, train/top1 (of the step's pictures), learning_rate, images_per_s. Per validation:
/// validate/loss, top1, top5 and average/ the same of the moving average. Once: the recipe as parameters,
/// model/parameters, model/macs, the layers as the text "graph", lines of progress as output. With each model that is
/// saved its confusion matrix, of up to 200 classes. If the recipe's `tracking` asks for them: pictures of the first
/// batch, histograms of weights and gradients.
class TrackingObserver final : public training::RunObserver {
 public:
  TrackingObserver(Tracker& tracker, training::RunObserver& next);

  void on_plan(const training::RunPlan& plan) override;
  void on_first_batch(const training::Batch& batch) override;
  void on_step(const training::StepReport& report) override;
  void on_validation_begin() override;
  void on_validation(const training::ValidationReport& report) override;
  void on_tensors(const training::TensorsReport& report) override;
  void on_problem(const std::string& message) override;

 private:
  Tracker& tracker_;
  training::RunObserver& next_;
  training::Progress lines_;
  training::Recipe recipe_;
  std::vector<std::string> classes_;
  training::Integer epoch_ = 0;
  training::Tally seen_;  ///< of the epoch, before the step
};

}  // namespace linnet::tracking
