#include "kernels/batch_norm/partial_sums.h"

#include <algorithm>
#include <cmath>

namespace linnet::kernels {

void PartialSums::add_up(double* sums) const {
  std::fill_n(sums, 2 * channels_, 0.0);
  for (Index chunk = 0; chunk < chunks_; ++chunk) {
    const double* part = first(chunk);
    for (Index i = 0; i < 2 * channels_; ++i) sums[i] += part[i];
  }
}

void join_moments(const PartialSums& moments, const Chunks& chunks, float epsilon, const Statistics& statistics) {
  std::vector<double> counts;
  for (Index chunk = 0; chunk < chunks.count(); ++chunk) counts.push_back(static_cast<double>(chunks[chunk].size()));
  join_moments(moments, counts, epsilon, statistics);
}

void join_moments(const PartialSums& moments, const std::vector<double>& counts, float epsilon,
                  const Statistics& statistics) {
  // Chan, Golub and LeVeque: joins the moments of two sets of rows without cancellation.
  const auto channels = static_cast<std::size_t>(moments.channels());
  std::vector<double> mean(channels), squares(channels);
  double count = 0.0;
  for (Index chunk = 0; chunk < moments.chunks(); ++chunk) {
    const double more = counts[static_cast<std::size_t>(chunk)];
    const double share = more / (count + more), weight = count * share;
    const double *chunk_mean = moments.first(chunk), *chunk_squares = moments.second(chunk);
    for (std::size_t c = 0; c < channels; ++c) {
      const double difference = chunk_mean[c] - mean[c];
      mean[c] += difference * share;
      squares[c] += chunk_squares[c] + difference * difference * weight;
    }
    count += more;
  }
  for (std::size_t c = 0; c < channels; ++c) {
    const double variance = squares[c] / count;
    statistics.mean[c] = static_cast<float>(mean[c]);
    statistics.variance[c] = static_cast<float>(variance);
    statistics.inverse_std[c] = static_cast<float>(1.0 / std::sqrt(variance + static_cast<double>(epsilon)));
  }
}

}  // namespace linnet::kernels
