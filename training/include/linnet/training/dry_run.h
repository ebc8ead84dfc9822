// What a run would be, without running it.
#pragma once

#include <string>
#include <vector>

#include "linnet/summary.h"
#include "linnet/training/recipe.h"

namespace linnet::training {

/// Bytes. What is not listed (decoded pictures ahead of the training, buffers of the operations) is in the peak.
struct MemoryPlan {
  std::int64_t weights = 0, gradients = 0, optimiser = 0, average = 0;
  std::int64_t activations = 0;  ///< outputs of all layers for one batch
  std::int64_t batches = 0;      ///< prepared ahead by the loader
  std::int64_t peak = 0;         ///< of the process so far, after the trial steps, as the system counts it
  Index peak_batch = 0;          ///< pictures of these steps
};

struct DryRun {
  Recipe recipe;  ///< with all defaults
  std::string model_name;
  Summary model;
  Shape input, output;   ///< of one batch
  bool made_up = false;  ///< data.train is not there: with pictures of noise, without numbers of pictures and steps
  std::vector<std::string> notes;  ///< what is missing or looks wrong, and where the weights come from
  std::string classes;             ///< a table of them with their numbers of pictures
  Index training_images = 0, validation_images = 0;
  std::string data_fingerprint;
  Integer steps_per_epoch = 0, steps = 0;
  int threads = 0;
  std::string isa;
  MemoryPlan memory;
  double step_seconds = 0;     ///< by the fastest trial step, which may have fewer pictures; without waiting for them
  double waiting_seconds = 0;  ///< for the pictures of a step, on average
  double validation_seconds = 0;  ///< of one validation, by its first batches; of weights and average together
  double total_seconds = 0;
};

/// Opens the data, builds the network, does a few steps on real pictures and validates a little; writes nothing. Where
/// data.train is not there, model.classes must say how many classes to make up pictures for; weights to start from may
/// be missing too. Throws linnet::Error as train() would.
DryRun dry_run(const Recipe& recipe);

/// For a person: the recipe as JSON, the layers with their shapes, memory and time.
std::string to_text(const DryRun& run);

}  // namespace linnet::training
