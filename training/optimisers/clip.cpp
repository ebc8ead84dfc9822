#include <algorithm>
#include <cmath>
#include <vector>

#include "linnet/error.h"
#include "linnet/training/optimisers.h"

namespace linnet::training {
namespace {

// Calls function(parameter, its gradient) for each parameter that has one, in parallel.
template <class Function>
void for_each_gradient(Optimiser::Parameters& parameters, ThreadPool& pool, Function&& function) {
  pool.run(static_cast<Index>(parameters.size()), [&](Index index, int) {
    Tensor& gradient = parameters[static_cast<std::size_t>(index)].variable.gradient();
    if (!gradient.empty()) function(static_cast<std::size_t>(index), gradient);
  });
}

double combined(GradientNorm kind, double sum, double value) {
  switch (kind) {
    case GradientNorm::sum:
      return sum + std::fabs(value);
    case GradientNorm::euclidean:
      return sum + value * value;
    case GradientNorm::largest:
      return std::max(sum, std::fabs(value));
  }
  return sum;
}

double euclidean_norm(const float* values, Index size) {
  double sum = 0;
  for (Index i = 0; i < size; ++i) sum = combined(GradientNorm::euclidean, sum, static_cast<double>(values[i]));
  return std::sqrt(sum);
}

}  // namespace

GradientNorm gradient_norm_from_name(const std::string& name) {
  if (name == "1") return GradientNorm::sum;
  if (name == "2") return GradientNorm::euclidean;
  if (name == "inf") return GradientNorm::largest;
  throw Error("unknown norm '" + name + "', expected 1, 2 or inf");
}

double clip_gradient_norm(Optimiser::Parameters& parameters, double limit, ThreadPool& pool, GradientNorm kind) {
  // One part per tensor, put together in the order of the parameters: the same bits for any number of threads.
  std::vector<double> parts(parameters.size(), 0.0);
  for_each_gradient(parameters, pool, [&](std::size_t index, const Tensor& gradient) {
    double part = 0;
    for (Index i = 0; i < gradient.size(); ++i) part = combined(kind, part, static_cast<double>(gradient.data()[i]));
    parts[index] = part;
  });
  double norm = 0;
  for (const double part : parts) norm = kind == GradientNorm::largest ? std::max(norm, part) : norm + part;
  if (kind == GradientNorm::euclidean) norm = std::sqrt(norm);
  const float factor = static_cast<float>(std::min(1.0, limit / (norm + 1e-6)));
  if (factor < 1) {
    for_each_gradient(parameters, pool, [&](std::size_t, Tensor& gradient) {
      for (Index i = 0; i < gradient.size(); ++i) gradient.data()[i] *= factor;
    });
  }
  return norm;
}

void clip_gradient_value(Optimiser::Parameters& parameters, double limit, ThreadPool& pool) {
  const float bound = static_cast<float>(limit);
  for_each_gradient(parameters, pool, [&](std::size_t, Tensor& gradient) {
    float* const values = gradient.data();
    // Not std::clamp: a NaN must stay one.
    for (Index i = 0; i < gradient.size(); ++i)
      values[i] = values[i] > bound ? bound : values[i] < -bound ? -bound : values[i];
  });
}

void clip_gradient_adaptive(Optimiser::Parameters& parameters, double limit, ThreadPool& pool,
                            const std::vector<std::string>& except) {
  constexpr double least_weight_norm = 1e-3, least_gradient_norm = 1e-6;
  for_each_gradient(parameters, pool, [&](std::size_t index, Tensor& gradient) {
    if (std::find(except.begin(), except.end(), parameters[index].name) != except.end()) return;
    const Index units = gradient.shape().size() < 2 ? 1 : gradient.dimension(0);
    const Index size = gradient.size() / units;
    const float* weights = parameters[index].variable.value().data();
    float* values = gradient.data();
    for (Index unit = 0; unit < units; ++unit, weights += size, values += size) {
      const double most = limit * std::max(euclidean_norm(weights, size), least_weight_norm);
      const double norm = euclidean_norm(values, size);
      if (!(norm > most)) continue;
      const float factor = static_cast<float>(most / std::max(norm, least_gradient_norm));
      for (Index i = 0; i < size; ++i) values[i] *= factor;
    }
  });
}

}  // namespace linnet::training
