#include "training/optimisers/sgd.h"

#include <string>
#include <vector>

namespace linnet::training {
namespace {

std::vector<std::string> slots(const OptimiserOptions& options) {
  if (options.momentum == 0) return {};
  return {"momentum"};
}

}  // namespace

Sgd::Sgd(const Parameters& parameters, const OptimiserOptions& options)
    : Optimiser(parameters, slots(options), options),
      momentum_(static_cast<float>(options.momentum)),
      nesterov_(options.nesterov) {}

void Sgd::begin_step(std::int64_t, double learning_rate) { learning_rate_ = static_cast<float>(learning_rate); }

// The buffer starts at 0, so that the first step sets it to the gradient.
void Sgd::update(const Span& span) const {
  float* const parameter = span.parameter;
  const float* const gradient = span.gradient;
  float* const buffer = span.slots[0];
  const float rate = learning_rate_, momentum = momentum_, decay = span.weight_decay;
  if (momentum == 0) {
    for (Index i = 0; i < span.size; ++i) parameter[i] -= rate * (gradient[i] + decay * parameter[i]);
  } else if (nesterov_) {
    for (Index i = 0; i < span.size; ++i) {
      const float g = gradient[i] + decay * parameter[i];
      const float b = momentum * buffer[i] + g;
      buffer[i] = b;
      parameter[i] -= rate * (g + momentum * b);
    }
  } else {
    for (Index i = 0; i < span.size; ++i) {
      const float b = momentum * buffer[i] + (gradient[i] + decay * parameter[i]);
      buffer[i] = b;
      parameter[i] -= rate * b;
    }
  }
}

}  // namespace linnet::training
