// Adam (Kingma and Ba, 2015), AdamW (Loshchilov and Hutter, 2019) and AMSGrad (Reddi et al., 2018) as in torch.optim.
#include <algorithm>
#include <cmath>

#include "training/optimisers/rules.h"

namespace linnet::training {
namespace {

// `decay` is added to the gradient, `keep` scales the weights: one of the two acts.
void update_adam_with(const OptimiserStep& step, const OptimiserSpan& span, float decay, float keep) {
  const auto [mean, square, largest] = span.slots;
  float* const parameter = span.parameter;
  const double number = static_cast<double>(step.number);
  const double beta1_exact = step.options.beta1, beta2_exact = *step.options.beta2;
  const float beta1 = static_cast<float>(beta1_exact), beta2 = static_cast<float>(beta2_exact);
  // 1 - beta in double: in float, 1 - 0.999f has only four digits.
  const float new1 = static_cast<float>(1 - beta1_exact), new2 = static_cast<float>(1 - beta2_exact);
  const float step_size = static_cast<float>(span.learning_rate / (1 - std::pow(beta1_exact, number)));
  const float root_correction = static_cast<float>(1 / std::sqrt(1 - std::pow(beta2_exact, number)));
  const float epsilon = static_cast<float>(*step.options.epsilon);
  for (Index i = 0; i < span.size; ++i) {
    const float g = span.gradient[i] + decay * parameter[i];
    mean[i] = beta1 * mean[i] + new1 * g;
    square[i] = beta2 * square[i] + new2 * (g * g);
    float second = square[i];
    if (largest != nullptr) second = largest[i] = std::max(largest[i], second);
    const float root = std::sqrt(second) * root_correction + epsilon;
    parameter[i] = keep * parameter[i] - step_size * (mean[i] / root);
  }
}

void update_adam(const OptimiserStep& step, const OptimiserSpan& span) {
  update_adam_with(step, span, static_cast<float>(span.weight_decay), 1);
}

void update_adamw(const OptimiserStep& step, const OptimiserSpan& span) {
  update_adam_with(step, span, 0, static_cast<float>(1 - span.learning_rate * span.weight_decay));
}

constexpr OptimiserSlot adam_slots[] = {
    {"mean"}, {"square"}, {"largest", 0, [](const OptimiserOptions& options) { return options.amsgrad; }}};

}  // namespace

const OptimiserRule adam_rule{"adam", 0.999, 1e-8, adam_slots, update_adam, nullptr};
const OptimiserRule adamw_rule{"adamw", 0.999, 1e-8, adam_slots, update_adamw, nullptr};

}  // namespace linnet::training
