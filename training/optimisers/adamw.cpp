#include "training/optimisers/adamw.h"

#include <cmath>

namespace linnet::training {

AdamW::AdamW(const Parameters& parameters, const OptimiserOptions& options)
    : Optimiser(parameters, {"mean", "square"}, options),
      beta1_(options.beta1),
      beta2_(options.beta2),
      epsilon_(static_cast<float>(options.epsilon)) {}

void AdamW::begin_step(std::int64_t step, double learning_rate) {
  learning_rate_ = static_cast<float>(learning_rate);
  step_size_ = static_cast<float>(learning_rate / (1 - std::pow(beta1_, static_cast<double>(step))));
  root_correction_ = static_cast<float>(1 / std::sqrt(1 - std::pow(beta2_, static_cast<double>(step))));
}

void AdamW::update(const Span& span) const {
  float* const parameter = span.parameter;
  const float* const gradient = span.gradient;
  float* const mean = span.slots[0];
  float* const square = span.slots[1];
  const float beta1 = static_cast<float>(beta1_), beta2 = static_cast<float>(beta2_);
  // 1 - beta in double: in float, 1 - 0.999f has only four digits.
  const float new1 = static_cast<float>(1 - beta1_), new2 = static_cast<float>(1 - beta2_);
  const float keep = 1 - learning_rate_ * span.weight_decay;
  const float step_size = step_size_, root_correction = root_correction_, epsilon = epsilon_;
  for (Index i = 0; i < span.size; ++i) {
    const float g = gradient[i];
    mean[i] = beta1 * mean[i] + new1 * g;
    square[i] = beta2 * square[i] + new2 * (g * g);
    const float root = std::sqrt(square[i]) * root_correction + epsilon;
    parameter[i] = keep * parameter[i] - step_size * (mean[i] / root);
  }
}

}  // namespace linnet::training
