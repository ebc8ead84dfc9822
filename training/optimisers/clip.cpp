#include <algorithm>
#include <cmath>
#include <vector>

#include "linnet/training/optimisers.h"

namespace linnet::training {

double clip_gradient_norm(Optimiser::Parameters& parameters, double limit, ThreadPool& pool) {
  // One partial sum per tensor, added up in the order of the parameters: the same bits for any number of threads.
  std::vector<double> squares(parameters.size(), 0.0);
  const Index count = static_cast<Index>(parameters.size());
  pool.run(count, [&](Index index, int) {
    const Tensor& gradient = parameters[static_cast<std::size_t>(index)].variable.gradient();
    double sum = 0;
    for (Index i = 0; i < gradient.size(); ++i) {
      const double g = static_cast<double>(gradient.data()[i]);
      sum += g * g;
    }
    squares[static_cast<std::size_t>(index)] = sum;
  });
  double total = 0;
  for (const double square : squares) total += square;
  const double norm = std::sqrt(total);
  const float factor = static_cast<float>(std::min(1.0, limit / (norm + 1e-6)));
  if (factor < 1) {
    pool.run(count, [&](Index index, int) {
      Tensor& gradient = parameters[static_cast<std::size_t>(index)].variable.gradient();
      for (Index i = 0; i < gradient.size(); ++i) gradient.data()[i] *= factor;
    });
  }
  return norm;
}

}  // namespace linnet::training
