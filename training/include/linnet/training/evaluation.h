// How good a model is on a data set.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "linnet/model.h"
#include "linnet/thread_pool.h"
#include "linnet/training/loader.h"
#include "linnet/training/metrics.h"

namespace linnet::training {

struct Evaluation {
  Metrics metrics;
  double loss = 0;       ///< mean cross entropy, no label smoothing
  bool complete = true;  ///< false if it was stopped
};

struct EvaluationHooks {
  /// Told each sample: its index in the data set, its label, the logits.
  std::function<void(Index sample, int label, std::span<const float> logits)> sample;
  /// Asked between two batches; true ends the evaluation early.
  std::function<bool()> stop;
};

/// Runs the compiled model over one pass of the loader; of several views of a picture it takes the mean of the logits.
/// Throws linnet::Error if the sizes of the loader's pictures or its labels do not fit the model. `disabled_passes`: as
/// in CompileOptions.
Evaluation evaluate(const Model& model, Loader& loader, std::shared_ptr<ThreadPool> pool,
                    const EvaluationHooks& hooks = {}, const std::vector<std::string>& disabled_passes = {});

}  // namespace linnet::training
