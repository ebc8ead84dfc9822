// Sums per channel over chunks of rows, and what they add up to, always in the order of the chunks.
#pragma once

#include <vector>

#include "kernels/common/chunks.h"

namespace linnet::kernels {

/// Two values per channel and chunk.
class PartialSums {
 public:
  PartialSums(Index chunks, Index channels)
      : chunks_(chunks), channels_(channels), values_(static_cast<std::size_t>(2 * chunks * channels)) {}
  Index chunks() const { return chunks_; }
  Index channels() const { return channels_; }
  double* first(Index chunk) { return values_.data() + 2 * chunk * channels_; }
  double* second(Index chunk) { return first(chunk) + channels_; }
  const double* first(Index chunk) const { return values_.data() + 2 * chunk * channels_; }
  const double* second(Index chunk) const { return first(chunk) + channels_; }

  /// [2][channels]
  void add_up(double* sums) const;

 private:
  Index chunks_, channels_;
  std::vector<double> values_;
};

/// What BatchNormKernels::moments found in each chunk of rows becomes the statistics of all rows.
struct Statistics {
  float* mean;
  float* variance;     ///< biased
  float* inverse_std;  ///< 1 / sqrt(variance + epsilon)
};
/// `counts`: the number of rows in each.
void join_moments(const PartialSums& moments, const std::vector<double>& counts, float epsilon,
                  const Statistics& statistics);
void join_moments(const PartialSums& moments, const Chunks& chunks, float epsilon, const Statistics& statistics);

}  // namespace linnet::kernels
