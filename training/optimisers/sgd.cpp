// Stochastic gradient descent as torch.optim.SGD: g += decay * w; b = momentum * b + (1 - dampening) * g, in the first
// step b = g; w -= rate * (nesterov ? g + momentum * b : b).
#include "training/optimisers/rules.h"

namespace linnet::training {
namespace {

void update_sgd(const OptimiserStep& step, const OptimiserSpan& span) {
  float* const parameter = span.parameter;
  const float* const gradient = span.gradient;
  float* const buffer = span.slots[0];
  const float rate = static_cast<float>(span.learning_rate), decay = static_cast<float>(span.weight_decay);
  const float momentum = static_cast<float>(step.options.momentum);
  // The buffer starts at 0, so that the first step sets it to the gradient.
  const float fresh = step.number == 1 ? 1.0f : static_cast<float>(1 - step.options.dampening);
  if (buffer == nullptr) {
    for (Index i = 0; i < span.size; ++i) parameter[i] -= rate * (gradient[i] + decay * parameter[i]);
  } else if (step.options.nesterov) {
    for (Index i = 0; i < span.size; ++i) {
      const float g = gradient[i] + decay * parameter[i];
      const float b = momentum * buffer[i] + g;
      buffer[i] = b;
      parameter[i] -= rate * (g + momentum * b);
    }
  } else {
    for (Index i = 0; i < span.size; ++i) {
      const float b = momentum * buffer[i] + fresh * (gradient[i] + decay * parameter[i]);
      buffer[i] = b;
      parameter[i] -= rate * b;
    }
  }
}

constexpr OptimiserSlot sgd_slots[] = {{"momentum", 0, [](const OptimiserOptions& o) { return o.momentum != 0; }}};

}  // namespace

const OptimiserRule sgd_rule{"sgd", 0, 0, sgd_slots, update_sgd, nullptr};

}  // namespace linnet::training
