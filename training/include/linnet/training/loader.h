// Batches of a data set, decoded and augmented ahead of the trainer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "linnet/tensor.h"
#include "linnet/training/dataset.h"

namespace linnet::training {

/// Random changes of training pictures, in this order: random resized crop, random crop, horizontal flip.
struct Augmentation {
  bool random_resized_crop = false;  ///< in place of the evaluation resize and crop
  double area_min = 0.08;            ///< share of the picture's area
  double area_max = 1.0;
  double ratio_min = 3.0 / 4.0;  ///< width / height
  double ratio_max = 4.0 / 3.0;
  Index crop_padding = 0;  ///< random crop: pads all sides with black, then cuts the input size anywhere
  double flip_probability = 0;
};

struct LoaderOptions {
  Index batch = 64;
  int threads = 1;  ///< workers beside the caller; 0: next() does the work itself
  std::uint64_t seed = 0;
  bool shuffle = false;
  bool drop_last = false;                     ///< leave out a last batch that is not full
  bool strict = false;                        ///< a damaged picture is an error; otherwise it is left out of its batch
  Index height = 0, width = 0, channels = 0;  ///< of the network's input
  Preprocessing preprocessing;
  std::optional<Augmentation> augmentation;
};

struct Batch {
  Index step = 0;  ///< within the epoch
  Tensor input;    ///< [samples, height, width, channels], normalised
  std::vector<int> labels;
  std::vector<Index> indices;  ///< of the samples in the data set
};

/// The order of the samples is a function of seed and epoch, and every random number of a sample is one of (seed,
/// epoch, sample): batches have the same bits for any number of threads, from whatever step an epoch begins.
class Loader {
 public:
  /// Throws linnet::Error if an option is wrong.
  Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  const Dataset& dataset() const;
  const LoaderOptions& options() const;
  Index steps_per_epoch() const;

  /// Starts to prepare the batches of an epoch from `first_step` on. What is left of an earlier epoch is dropped.
  void begin_epoch(Index epoch, Index first_step = 0);

  /// The next batch, or nothing when the epoch is over. Batches whose pictures were all damaged are skipped, so take
  /// the step from the batch. Throws what a worker threw; the epoch is over then.
  std::optional<Batch> next();

  /// One message for each damaged picture met so far, sorted, each picture once.
  std::vector<std::string> problems() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The order of the samples of an epoch.
std::vector<Index> epoch_order(Index samples, std::uint64_t seed, Index epoch, bool shuffle);

}  // namespace linnet::training
