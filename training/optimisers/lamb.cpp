// LAMB (You et al., 2020, arXiv 1904.00962) as timm.optim.Lamb, but for the clipping of the gradients' norm to 1 that
// timm does before: that is clip_gradient_norm's.
#include <algorithm>
#include <cmath>

#include "training/optimisers/rules.h"

namespace linnet::training {
namespace {

void update_lamb(const OptimiserStep& step, const OptimiserSpan& span) {
  float* const mean = span.slots[0];
  float* const square = span.slots[1];
  const double beta1_exact = step.options.beta1, beta2_exact = *step.options.beta2;
  const float beta1 = static_cast<float>(beta1_exact), beta2 = static_cast<float>(beta2_exact);
  const float new1 = static_cast<float>(1 - beta1_exact), new2 = static_cast<float>(1 - beta2_exact);
  const auto correction = [&step](double beta) {
    return step.options.bias_correction ? 1 - std::pow(beta, static_cast<double>(step.number)) : 1.0;
  };
  const float mean_correction = static_cast<float>(1 / correction(beta1_exact));
  const float root_correction = static_cast<float>(1 / std::sqrt(correction(beta2_exact)));
  const float epsilon = static_cast<float>(*step.options.epsilon), decay = static_cast<float>(span.weight_decay);
  for (Index i = 0; i < span.size; ++i) {
    const float g = span.gradient[i];
    mean[i] = beta1 * mean[i] + new1 * g;
    square[i] = beta2 * square[i] + new2 * (g * g);
    const float root = std::sqrt(square[i]) * root_correction + epsilon;
    span.gradient[i] = mean_correction * mean[i] / root + decay * span.parameter[i];
  }
}

void finish_lamb(const OptimiserStep& step, const OptimiserSpan& span, double parameter_square,
                 double direction_square) {
  double ratio = 1;
  const bool adapts = span.weight_decay != 0 || step.options.always_adapt;
  if (adapts && parameter_square > 0 && direction_square > 0) ratio = std::sqrt(parameter_square / direction_square);
  if (step.options.trust_clip) ratio = std::min(ratio, 1.0);
  const float rate = static_cast<float>(span.learning_rate * ratio);
  for (Index i = 0; i < span.size; ++i) span.parameter[i] -= rate * span.gradient[i];
}

constexpr OptimiserSlot lamb_slots[] = {{"mean"}, {"square"}};

}  // namespace

const OptimiserRule lamb_rule{"lamb", 0.999, 1e-6, lamb_slots, update_lamb, finish_lamb};

}  // namespace linnet::training
