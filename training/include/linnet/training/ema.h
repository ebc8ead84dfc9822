// A moving average of the weights.
#pragma once

#include <cstdint>

#include "linnet/model.h"
#include "linnet/thread_pool.h"

namespace linnet::training {

/// As timm's ModelEmaV3: the decay after update k is 0 up to k = update_after_step + 1 (the average is a copy then;
/// with copy_first off only up to k = update_after_step); later `decay`, or with `warmup` 1 - (1 + s /
/// warmup_gamma)^-warmup_power where s = k - update_after_step - 1, kept within [min_decay, decay].
struct EmaOptions {
  double decay = 0.999;
  bool warmup = false;
  double warmup_gamma = 1;
  double warmup_power = 2.0 / 3.0;
  double min_decay = 0;
  std::int64_t update_after_step = 0;
  bool copy_first = true;
  bool average_statistics = true;  ///< running means and variances too; off: copied
};

/// The decay of update `step`, counted from 1.
double ema_decay(const EmaOptions& options, std::int64_t step);

class Ema {
 public:
  /// Starts from a copy of `weights`.
  Ema(const Weights& weights, const EmaOptions& options);

  /// average = decay * average + (1 - decay) * weights; counters are copied. `step` counts from
  /// 1. Bit-identical for any number of threads. Throws linnet::Error if the weights are not those it started from.
  void update(const Weights& weights, std::int64_t step, ThreadPool& pool);

  const Weights& average() const { return average_; }
  /// Copies values in, as when a run is resumed. Throws linnet::Error if they do not fit.
  void set_average(const Weights& average);

 private:
  EmaOptions options_;
  Weights average_;
};

}  // namespace linnet::training
