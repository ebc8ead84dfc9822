// What learns: the network, its optimiser, its average, and one step of all of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "linnet/training/checkpoint.h"
#include "linnet/training/ema.h"
#include "linnet/training/loader.h"
#include "linnet/training/losses.h"
#include "linnet/training/optimisers.h"
#include "linnet/training/schedules.h"
#include "linnet/training_model.h"
#include "training/trainer/teacher.h"

namespace linnet::training {

class Learner {
 public:
  /// Throws linnet::Error if the recipe does not fit the graph.
  Learner(const Recipe& recipe, const Graph& graph, Integer steps_per_epoch, std::shared_ptr<ThreadPool> pool);

  struct Outcome {
    double loss = 0;  ///< mean over the batch
    Integer right = 0;
    double learning_rate = 0;
  };
  /// Step `step`, counted from 1. Throws linnet::Error that names the step and the layer where a value stops being
  /// finite; the weights are then those of before.
  Outcome learn(const Batch& batch, Integer step);

  /// Takes over the weights of the file that the recipe names, if it does. Returns what was done, for people, and
  /// appends to `problems` what looks wrong. Throws linnet::Error.
  std::vector<std::string> start_from_file(std::vector<std::string>& problems);

  const Graph& graph() const { return graph_; }
  Weights weights() const { return model_.weights(); }
  /// The weights that change: no running statistics, nothing that is frozen.
  Weights learning_weights() const;
  /// Of these, in the last step; empty before the first one.
  Weights gradients() const;
  /// Null without an average.
  const Weights* average() const { return ema_ ? &ema_->average() : nullptr; }
  /// The bytes that weights, gradients, state and average take.
  struct Bytes {
    std::int64_t weights = 0, gradients = 0, optimiser = 0, average = 0;
  };
  Bytes bytes();

  /// Throws linnet::Error that names the first tensor of the weights that is not finite.
  void check_finite(Integer step) const;
  void save(Checkpoint& checkpoint) const;
  /// Throws linnet::Error if it does not fit.
  void restore(const Checkpoint& checkpoint);

 private:
  Tensor targets_of(const Batch& batch) const;
  autograd::Variable loss_for(const Tensor& input, const Tensor& targets, const autograd::Variable& logits,
                              double share);
  void clip_gradients();
  void check_gradients(Integer step, double learning_rate);
  std::string place(Integer step) const;
  [[noreturn]] void explain(const std::string& what, const Batch& batch, Integer step, double learning_rate,
                            std::uint64_t seed);

  const Recipe& recipe_;
  const Graph graph_;
  const Integer steps_per_epoch_;
  std::shared_ptr<ThreadPool> pool_;
  TrainingModel model_;
  Optimiser::Parameters learnable_;  ///< those of the model that are not kept as they are
  Optimiser optimiser_;
  Schedule schedule_;
  LossOptions loss_options_;
  std::unique_ptr<Teacher> teacher_;
  std::optional<Ema> ema_;
};

}  // namespace linnet::training
