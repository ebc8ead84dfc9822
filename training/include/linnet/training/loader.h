// Batches of a data set, decoded and augmented ahead of the trainer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "linnet/tensor.h"
#include "linnet/training/dataset.h"

namespace linnet::training {

/// A learned or random choice of changes (training/data/policies.cpp).
struct AugmentationPolicy {
  std::string kind = "none";       ///< one of augmentation_policies()
  Index operations = 2;            ///< rand, rand_torchvision: so many, one after the other
  double magnitude = 9;            ///< rand: 0 to 10; rand_torchvision: 0 to 30, a whole number
  double magnitude_deviation = 0;  ///< rand and timm's auto_*: of the normal distribution around the magnitude
  double magnitude_limit = 10;     ///< rand and timm's auto_*: magnitudes are kept within [0, this]
  bool increasing = true;          ///< rand: operations that are stronger with a larger magnitude
  bool weighted = false;           ///< rand: timm's weights of the operations, and none twice
  double probability = 0.5;        ///< rand: of each operation
  /// How pictures are turned and shifted: "nearest", "bilinear", "bicubic", "random" (of the last two) or "default":
  /// random for timm's policies, nearest for torchvision's.
  std::string sampling = "default";
  std::string fill =
      "default";  ///< outside the picture: "mean", "black" or "default": timm's mean, torchvision's black
};

/// timm's, as in its training transforms: "auto_original", "auto_originalr", "auto_v0", "auto_v0r", "auto_3a", "rand";
/// torchvision's: "auto_imagenet", "auto_cifar10", "rand_torchvision", "trivial" (TrivialAugmentWide); "none".
std::vector<std::string_view> augmentation_policies();

/// timm's RandomErasing, on normalised values.
struct RandomErasing {
  double probability = 0;
  double area_min = 0.02, area_max = 1.0 / 3.0;  ///< share of the picture's area
  double ratio_min = 0.3;                        ///< height / width, up to 1 / ratio_min
  std::string fill = "zero";                     ///< or "colour": one drawn per box; "noise": one per pixel
  Index count = 1;                               ///< up to so many boxes, which share the area
};

/// Random changes of training pictures, in this order: random resized crop or random crop, flips, policy, colour
/// jitter; after normalising, erasing.
struct Augmentation {
  bool random_resized_crop = false;  ///< in place of the evaluation resize and crop
  double area_min = 0.08;            ///< share of the picture's area
  double area_max = 1.0;
  double ratio_min = 3.0 / 4.0;  ///< width / height
  double ratio_max = 4.0 / 3.0;
  Index crop_padding = 0;  ///< random crop: pads all sides with black, then cuts the input size anywhere
  double flip_probability = 0;
  double vertical_flip_probability = 0;
  AugmentationPolicy policy = {};
  /// torchvision's ColorJitter: factors from [1 - x, 1 + x], not below 0; a turn from [-hue, hue], at most 0.5.
  double brightness = 0, contrast = 0, saturation = 0, hue = 0;
  RandomErasing erasing = {};
};

/// timm's Mixup: pictures of a batch are mixed with those at the mirrored places, and so are their targets.
struct Mixing {
  double mixup_alpha = 0;     ///< parameter of the beta distribution; 0: no mixup (Zhang et al. 2018, arXiv 1710.09412)
  double cutmix_alpha = 0;    ///< 0: no CutMix (Yun et al. 2019, arXiv 1905.04899)
  double probability = 1;     ///< that there is any mixing
  double cutmix_share = 0.5;  ///< where both could be
  std::string mode = "batch";  ///< one draw per batch, or per "pair" or "element"
  bool correct_share = true;   ///< CutMix: targets follow the box as it was cut, not as it was drawn
  bool enabled() const { return probability > 0 && (mixup_alpha > 0 || cutmix_alpha > 0); }
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
  Mixing mixing = {};
  /// Repeated augmentation (Hoffer et al. 2020, arXiv 1901.09335): each picture so many times in a row, each time
  /// changed otherwise; an epoch shows only so many times fewer of them.
  Index repeats = 1;
  Index views = 1;  ///< 10: four corners and the centre, as they are and mirrored; not with augmentation
};

struct Batch {
  Index step = 0;  ///< within the epoch
  Tensor input;    ///< [samples * views, height, width, channels], normalised; the views of a sample in a row
  std::vector<int> labels;
  std::vector<Index> indices;  ///< of the samples in the data set
  /// Of mixed pictures: what part of sample i is its own; the rest is of sample n - 1 - i. Empty: nothing is mixed.
  std::vector<float> shares = {};
};

/// The order of the samples is a function of seed and epoch, every random number of a sample one of (seed, epoch,
/// sample) and its repeat, and every one of a mixture one of (seed, epoch, step): batches have the same bits for any
/// number of threads, from whatever step an epoch begins.
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

/// The order of the samples of an epoch, as many as there are.
std::vector<Index> epoch_order(Index samples, std::uint64_t seed, Index epoch, bool shuffle, Index repeats = 1);

}  // namespace linnet::training
