#include "linnet/training/ema.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "linnet/error.h"

namespace linnet::training {
namespace {

bool is_counter(const std::string& key) { return key.ends_with("num_batches_tracked"); }

bool is_statistic(const std::string& key) { return key.ends_with(".running_mean") || key.ends_with(".running_var"); }

void check_same_keys(const Weights& own, const Weights& given) {
  const bool same =
      own.size() == given.size() && std::equal(own.begin(), own.end(), given.begin(), [](const auto& a, const auto& b) {
        return a.first == b.first && a.second.shape() == b.second.shape();
      });
  if (same) return;
  for (const auto& [key, tensor] : own) {
    const auto found = given.find(key);
    if (found == given.end()) throw Error("weight average: '" + key + "' is missing");
    if (found->second.shape() != tensor.shape())
      throw Error("weight average: '" + key + "' must be " + to_string(tensor.shape()) + ", found " +
                  to_string(found->second.shape()));
  }
  for (const auto& [key, tensor] : given)
    if (!own.contains(key)) throw Error("weight average: '" + key + "' is not expected");
}

}  // namespace

double ema_decay(const EmaOptions& options, std::int64_t step) {
  const std::int64_t counted = step - options.update_after_step - 1;
  if (counted == 0 && !options.copy_first && !options.warmup) return options.decay;
  if (counted <= 0) return 0;
  if (!options.warmup) return options.decay;
  const double risen = 1 - std::pow(1 + static_cast<double>(counted) / options.warmup_gamma, -options.warmup_power);
  return std::max(std::min(risen, options.decay), options.min_decay);
}

Ema::Ema(const Weights& weights, const EmaOptions& options) : options_(options) {
  for (const auto& [key, tensor] : weights) average_[key] = tensor.clone();
}

void Ema::update(const Weights& weights, std::int64_t step, ThreadPool& pool) {
  check_same_keys(average_, weights);
  struct Pair {
    float* average;
    const float* value;
    Index size;
    float share;
  };
  constexpr Index chunk_size = 1 << 14;
  const float share = static_cast<float>(1 - ema_decay(options_, step));
  std::vector<Pair> chunks;
  auto weight = weights.begin();
  for (auto& [key, average] : average_) {
    const Tensor& value = (weight++)->second;
    const bool copied = is_counter(key) || (is_statistic(key) && !options_.average_statistics);
    for (Index begin = 0; begin < average.size(); begin += chunk_size)
      chunks.push_back({average.data() + begin, value.data() + begin, std::min(chunk_size, average.size() - begin),
                        copied ? 1.0f : share});
  }
  pool.run(static_cast<Index>(chunks.size()), [&](Index index, int) {
    const Pair& chunk = chunks[static_cast<std::size_t>(index)];
    if (chunk.share == 1) {
      std::copy_n(chunk.value, chunk.size, chunk.average);
      return;
    }
    for (Index i = 0; i < chunk.size; ++i) chunk.average[i] += chunk.share * (chunk.value[i] - chunk.average[i]);
  });
}

void Ema::set_average(const Weights& average) {
  check_same_keys(average_, average);
  for (auto& [key, tensor] : average_) std::copy_n(average.at(key).data(), tensor.size(), tensor.data());
}

}  // namespace linnet::training
