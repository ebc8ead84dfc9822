// A training run, from a recipe to a folder with the model.
//
// The folder holds recipe.json (the whole recipe), metrics.jsonl (one JSON object per line), checkpoint.safetensors
// (the last state, to resume from), model.safetensors (the result so far), classes.json (index, name and number of
// pictures of each class) and, if asked for, the checkpoints of the best epochs (checkpoint-epoch-0012.safetensors).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "linnet/summary.h"
#include "linnet/training/checkpoint.h"
#include "linnet/training/dataset.h"
#include "linnet/training/loader.h"
#include "linnet/training/metrics.h"
#include "linnet/training/recipe.h"

namespace linnet::training {

/// What a run is about to do.
struct RunPlan {
  const Recipe& recipe;
  std::string model_name;
  Summary model;
  Index height = 0, width = 0;
  Index training_images = 0, validation_images = 0;
  Integer steps_per_epoch = 0;
  Integer first_step = 0, last_step = 0;  ///< does the steps [first_step, last_step)
  int threads = 0;
  std::string isa;
  std::vector<std::string> classes = {};  ///< their names
  std::vector<std::string> notes = {};    ///< lines for people: balance of the classes, where the weights come from
};

struct StepReport {
  Integer step = 0;   ///< steps done, this one included
  Integer epoch = 0;  ///< of this step, from 1
  double learning_rate = 0;
  Tally tally;  ///< of the epoch so far
  Integer images = 0;
  double seconds = 0;  ///< of this step, waiting for the loader included
};

struct Score {
  double loss = 0, top1 = 0, top5 = 0;
};

struct ValidationReport {
  Integer step = 0;
  Integer epoch = 0;
  Tally training;                    ///< of the epoch
  std::optional<Score> weights;      ///< validation of the weights; empty where validate_every left it out
  std::optional<Score> average;      ///< of their moving average, if there is one
  const Metrics* metrics = nullptr;  ///< of the one that is saved, or would be if it were better than before
  bool saved = false;                ///< model.safetensors was written anew
  double seconds = 0;                ///< since the last step
};

/// What learns, at the end of an epoch.
struct TensorsReport {
  Integer step = 0;
  Integer epoch = 0;
  const Weights& weights;
  const Weights& gradients;  ///< of the last step, as the optimiser took them; empty if another process did that step
};

/// Watches a run. Called on the thread that trains. What reports refer to lasts as long as the call.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_plan(const RunPlan&) {}
  /// Before the first step of the run; not where it is resumed.
  virtual void on_first_batch(const Batch&) {}
  virtual void on_step(const StepReport&) {}
  virtual void on_validation_begin() {}
  virtual void on_validation(const ValidationReport&) {}
  virtual void on_tensors(const TensorsReport&) {}
  /// Something that does not end the run: a picture that could not be read, a loader that is too slow.
  virtual void on_problem(const std::string&) {}
};

struct RunOptions {
  std::string folder;
  bool resume = false;                   ///< go on from the folder's checkpoint, if there is one
  std::function<bool()> stop_requested;  ///< asked after each step; true ends the run after a checkpoint
  double time_limit =
      0;  ///< seconds after which the run ends, with a checkpoint, the time of that allowed for; 0: none
};

struct RunResult {
  bool interrupted = false;    ///< it can go on
  bool time_over = false;      ///< interrupted by the time limit
  bool stopped_early = false;  ///< done, for want of improvement
  Integer step = 0;
  double best = -1;  ///< top-1 of the saved model; -1 if none was validated
};

/// The pictures that a run by this recipe validates on. Throws linnet::Error.
std::shared_ptr<const Dataset> validation_data(const Recipe& recipe);

/// True if the folder holds files of a run.
bool holds_run(const std::string& folder);

/// Removes the files of a run, and only these. Throws linnet::Error.
void remove_run(const std::string& folder);

/// Trains. The same recipe gives the same model and metrics, wall-clock fields excepted, for any number of threads and
/// however often the run was interrupted. Throws linnet::Error; the last checkpoint is then still there, and where
/// values stopped being finite the message names it.
RunResult train(const Recipe& recipe, const RunOptions& options, RunObserver& observer);

}  // namespace linnet::training
