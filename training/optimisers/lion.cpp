// Lion (Chen et al., 2023, arXiv 2302.06675) as timm.optim.Lion: steps of one size, the sign of a mix of the gradient
// and its average.
#include "training/optimisers/rules.h"

namespace linnet::training {
namespace {

void update_lion(const OptimiserStep& step, const OptimiserSpan& span) {
  float* const mean = span.slots[0];
  const double beta1_exact = step.options.beta1, beta2_exact = *step.options.beta2;
  const float beta1 = static_cast<float>(beta1_exact), beta2 = static_cast<float>(beta2_exact);
  const float new1 = static_cast<float>(1 - beta1_exact), new2 = static_cast<float>(1 - beta2_exact);
  const float keep = static_cast<float>(1 - span.learning_rate * span.weight_decay);
  const float rate = static_cast<float>(span.learning_rate);
  for (Index i = 0; i < span.size; ++i) {
    const float g = span.gradient[i];
    const float direction = beta1 * mean[i] + new1 * g;
    const float sign = static_cast<float>(direction > 0) - static_cast<float>(direction < 0);
    span.parameter[i] = keep * span.parameter[i] - rate * sign;
    mean[i] = beta2 * mean[i] + new2 * g;
  }
}

constexpr OptimiserSlot lion_slots[] = {{"mean"}};

}  // namespace

const OptimiserRule lion_rule{"lion", 0.99, 0, lion_slots, update_lion, nullptr};

}  // namespace linnet::training
