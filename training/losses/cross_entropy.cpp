#include <cmath>
#include <utility>

#include "kernels/softmax/softmax.h"
#include "linnet/error.h"
#include "linnet/training/losses.h"

namespace linnet::training {

autograd::Variable cross_entropy(const autograd::Variable& logits, const Tensor& targets, ThreadPool& pool,
                                 std::optional<double> divisor) {
  const Tensor& values = logits.value();
  if (values.shape().size() != 2 || values.size() == 0 || values.shape() != targets.shape())
    throw Error("cross_entropy: logits and targets must be [samples, classes] of one shape, found " +
                to_string(values.shape()) + " and " + to_string(targets.shape()));
  const Index samples = values.dimension(0), classes = values.dimension(1);
  const double share = 1 / divisor.value_or(static_cast<double>(samples));
  Tensor log_probabilities(values.shape());
  kernels::log_softmax(pool, samples, classes, values.data(), log_probabilities.data());

  double sum = 0;
  for (Index i = 0; i < values.size(); ++i) {
    // A target of 0 takes no part, even where the probability has underflowed to log(0).
    const float target = targets.data()[i];
    if (target != 0) sum -= static_cast<double>(target) * static_cast<double>(log_probabilities.data()[i]);
  }
  Tensor loss = Tensor::full({}, static_cast<float>(sum * share));

  auto backward = [log_probabilities, targets, samples, classes, share](const Tensor& output_gradient) {
    const float scale = static_cast<float>(static_cast<double>(output_gradient.data()[0]) * share);
    Tensor gradient(log_probabilities.shape());
    for (Index i = 0; i < samples; ++i) {
      const float* log_probability = log_probabilities.data() + i * classes;
      const float* target = targets.data() + i * classes;
      float* out = gradient.data() + i * classes;
      float mass = 0;  // 1 for probabilities, up to rounding
      for (Index c = 0; c < classes; ++c) mass += target[c];
      for (Index c = 0; c < classes; ++c) out[c] = scale * (mass * std::exp(log_probability[c]) - target[c]);
    }
    return std::vector<Tensor>{gradient};
  };
  return autograd::Variable::record("cross_entropy", std::move(loss), {logits}, std::move(backward));
}

}  // namespace linnet::training
