#include <cmath>
#include <string>
#include <utility>

#include "kernels/softmax/softmax.h"
#include "linnet/error.h"
#include "linnet/training/losses.h"

namespace linnet::training {

Tensor smoothed_targets(std::span<const int> labels, Index classes, float smoothing) {
  if (!(smoothing >= 0 && smoothing < 1))
    throw Error("cross_entropy: label smoothing must be in [0, 1), found " + std::to_string(smoothing));
  const Index samples = static_cast<Index>(labels.size());
  const float elsewhere = smoothing / static_cast<float>(classes);
  Tensor targets = Tensor::full({samples, classes}, elsewhere);
  for (Index i = 0; i < samples; ++i) {
    const int label = labels[static_cast<std::size_t>(i)];
    if (label < 0 || label >= classes)
      throw Error("cross_entropy: label " + std::to_string(label) + " of sample " + std::to_string(i) +
                  " is not one of the " + std::to_string(classes) + " classes");
    targets.data()[i * classes + label] = 1 - smoothing + elsewhere;
  }
  return targets;
}

autograd::Variable cross_entropy(const autograd::Variable& logits, const Tensor& targets, ThreadPool& pool) {
  const Tensor& values = logits.value();
  if (values.shape().size() != 2 || values.size() == 0 || values.shape() != targets.shape())
    throw Error("cross_entropy: logits and targets must be [samples, classes] of one shape, found " +
                to_string(values.shape()) + " and " + to_string(targets.shape()));
  const Index samples = values.dimension(0), classes = values.dimension(1);
  Tensor log_probabilities(values.shape());
  kernels::log_softmax(pool, samples, classes, values.data(), log_probabilities.data());

  double sum = 0;
  for (Index i = 0; i < values.size(); ++i) {
    // A target of 0 takes no part, even where the probability has underflowed to log(0).
    const float target = targets.data()[i];
    if (target != 0) sum -= static_cast<double>(target) * static_cast<double>(log_probabilities.data()[i]);
  }
  Tensor loss = Tensor::full({}, static_cast<float>(sum / static_cast<double>(samples)));

  auto backward = [log_probabilities, targets, samples, classes](const Tensor& output_gradient) {
    const float scale = output_gradient.data()[0] / static_cast<float>(samples);
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
