// How good a classifier is.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "linnet/types.h"

namespace linnet::training {

/// The place of `label` among the classes by falling logit, from 0. Of equal logits the lower class comes first, so
/// that place 0 is what an argmax finds.
Index rank_of(std::span<const float> logits, int label);

/// The class with the largest logit, the first of equal ones.
int predicted_class(std::span<const float> logits);

struct ClassScores {
  double precision = 0;  ///< of what was predicted as this class, the share that is; 0 if nothing was
  double recall = 0;     ///< of this class, the share that was predicted; 0 if there is none
  double f1 = 0;         ///< harmonic mean of the two; 0 if both are
  std::int64_t support = 0;
};

/// Samples of about the same confidence, which is the probability (softmax) of the predicted class.
struct CalibrationBin {
  std::int64_t samples = 0;
  double confidence = 0;  ///< mean; 0 without samples
  double accuracy = 0;    ///< share that is right
};

/// Counts predictions.
class Metrics {
 public:
  explicit Metrics(Index classes);

  /// One sample. Throws linnet::Error if the number of logits or the label does not fit the classes.
  void add(std::span<const float> logits, int label);

  Index classes() const { return classes_; }
  std::int64_t samples() const { return samples_; }
  double top1() const { return share(top1_); }  ///< in [0, 1]; 0 without samples
  double top5() const { return share(top5_); }
  /// The number of samples of class `label` that were taken for class `prediction`.
  std::int64_t confusion(Index label, Index prediction) const;
  ClassScores scores(Index label) const;
  /// The plain mean of all classes' scores; support is that of all.
  ClassScores macro_scores() const;
  /// 15 bins of equal width; a confidence on the edge of two belongs to the lower one.
  std::vector<CalibrationBin> calibration() const;
  /// Expected calibration error, in [0, 1]: the mean over all samples of |accuracy - confidence| of their bin (Guo et
  /// al. 2017, arXiv 1706.04599, equation 3).
  double calibration_error() const;

 private:
  double share(std::int64_t count) const;
  Index classes_;
  std::int64_t samples_ = 0, top1_ = 0, top5_ = 0;
  std::vector<std::int64_t> confusion_;  ///< [label][prediction]
  struct Bin {
    std::int64_t samples = 0, right = 0;
    double confidence = 0;  ///< sum
  };
  std::array<Bin, 15> bins_;
};

}  // namespace linnet::training
