// The state of a run between two steps.
#pragma once

#include <string>
#include <vector>

#include "linnet/model.h"
#include "linnet/training/recipe.h"

namespace linnet::training {

/// What the trainer has seen since some point.
struct Tally {
  double loss = 0;     ///< summed over the images
  Integer right = 0;   ///< predicted correctly
  Integer images = 0;  ///< in all
  double seconds = 0;  ///< that their steps took
  double waiting = 0;  ///< of these, for the loader

  Tally& operator+=(const Tally& other);
  double mean_loss() const { return images == 0 ? 0 : loss / static_cast<double>(images); }
  double top1() const { return images == 0 ? 0 : static_cast<double>(right) / static_cast<double>(images); }
};

/// Where a run is at home. Resuming elsewhere is possible, but the bits may differ from then on; with other data it is
/// an error.
struct Origin {
  std::string version;  ///< of Linnet
  std::string cpu, isa;
  std::string data;  ///< fingerprint of the training and validation data
};

/// A checkpoint that was kept for its score: checkpoint-epoch-NNNN.safetensors.
struct KeptCheckpoint {
  Integer epoch = 0;
  double top1 = 0;
};

/// All that the next step and everything after it depend on; random numbers follow from the recipe's seed and the step.
struct Checkpoint {
  Recipe recipe;
  Origin origin = {};
  Integer step = 0;                       ///< steps done
  bool closed = true;                     ///< the validation that is due after this step is done, or none is
  Tally epoch;                            ///< since the epoch began
  Tally interval;                         ///< since the last line of metrics.jsonl
  double best = -1;                       ///< top-1 of the saved model; -1: none yet
  double highest = -1;                    ///< top-1 that a later validation must beat for early stopping; -1: none yet
  Integer stale = 0;                      ///< validations since then
  std::vector<KeptCheckpoint> kept = {};  ///< best first
  double seconds = 0;                     ///< that the run took so far
  Integer log_size = 0;                   ///< bytes of metrics.jsonl that belong to the steps done
  Weights weights;
  Weights optimiser;  ///< Optimiser::state()
  Weights average;    ///< Ema::average(); empty without
};

/// A safetensors file, written beside its target, synced and renamed: a crash at any moment leaves the old one or the
/// whole new one. Throws linnet::Error.
void save_checkpoint(const Checkpoint& checkpoint, const std::string& path);

/// Throws linnet::Error that names the file if it is damaged or no checkpoint.
Checkpoint load_checkpoint(const std::string& path);

}  // namespace linnet::training
