// RMSprop (Hinton, lecture 6e of "Neural networks for machine learning", 2012) in two variants.
//
// rmsprop is torch.optim.RMSprop. rmsprop_tf is TensorFlow's, as timm has it, with which the MobileNet and EfficientNet
// recipes were made: the mean square starts at 1, epsilon stands inside the root, and the momentum holds whole steps.
#include <algorithm>
#include <cmath>

#include "training/optimisers/rules.h"

namespace linnet::training {
namespace {

// The variance can come out below 0 by rounding.
float centred(float square, float mean) { return std::max(square - mean * mean, 0.0f); }

void update_rmsprop(const OptimiserStep& step, const OptimiserSpan& span) {
  const auto [square, buffer, mean] = span.slots;
  const float rate = static_cast<float>(span.learning_rate), decay = static_cast<float>(span.weight_decay);
  const float momentum = static_cast<float>(step.options.momentum);
  const float old = static_cast<float>(step.options.alpha), fresh = static_cast<float>(1 - step.options.alpha);
  const float epsilon = static_cast<float>(*step.options.epsilon);
  for (Index i = 0; i < span.size; ++i) {
    const float g = span.gradient[i] + decay * span.parameter[i];
    square[i] = old * square[i] + fresh * (g * g);
    float deviation = square[i];
    if (mean != nullptr) {
      mean[i] += fresh * (g - mean[i]);
      deviation = centred(square[i], mean[i]);
    }
    float direction = g / (std::sqrt(deviation) + epsilon);
    if (buffer != nullptr) direction = buffer[i] = momentum * buffer[i] + direction;
    span.parameter[i] -= rate * direction;
  }
}

void update_rmsprop_tf(const OptimiserStep& step, const OptimiserSpan& span) {
  const auto [square, buffer, mean] = span.slots;
  const bool decoupled = step.options.decoupled_decay;
  const float rate = static_cast<float>(span.learning_rate);
  const float decay = decoupled ? 0.0f : static_cast<float>(span.weight_decay);
  const float keep = decoupled ? static_cast<float>(1 - span.learning_rate * span.weight_decay) : 1.0f;
  const float momentum = static_cast<float>(step.options.momentum);
  const float fresh = static_cast<float>(1 - step.options.alpha);
  const float epsilon = static_cast<float>(*step.options.epsilon);
  // Where there is a momentum, the rate acts either on what goes into it or on what comes out of it.
  const bool rate_inside = buffer != nullptr && step.options.lr_in_momentum;
  const float rate_in = rate_inside ? rate : 1.0f, rate_out = rate_inside ? 1.0f : rate;
  for (Index i = 0; i < span.size; ++i) {
    const float weight = keep * span.parameter[i];
    const float g = span.gradient[i] + decay * weight;
    square[i] += fresh * (g * g - square[i]);
    float deviation = square[i];
    if (mean != nullptr) {
      mean[i] += fresh * (g - mean[i]);
      deviation = centred(square[i], mean[i]);
    }
    float direction = rate_in * (g / std::sqrt(deviation + epsilon));
    if (buffer != nullptr) direction = buffer[i] = momentum * buffer[i] + direction;
    span.parameter[i] = weight - rate_out * direction;
  }
}

bool rmsprop_has_momentum(const OptimiserOptions& options) { return options.momentum != 0; }
bool rmsprop_is_centered(const OptimiserOptions& options) { return options.centered; }

constexpr OptimiserSlot rmsprop_slots[] = {
    {"square"}, {"momentum", 0, rmsprop_has_momentum}, {"mean", 0, rmsprop_is_centered}};
constexpr OptimiserSlot rmsprop_tf_slots[] = {
    {"square", 1}, {"momentum", 0, rmsprop_has_momentum}, {"mean", 0, rmsprop_is_centered}};

}  // namespace

const OptimiserRule rmsprop_rule{"rmsprop", 0, 1e-8, rmsprop_slots, update_rmsprop, nullptr};
const OptimiserRule rmsprop_tf_rule{"rmsprop_tf", 0, 1e-10, rmsprop_tf_slots, update_rmsprop_tf, nullptr};

}  // namespace linnet::training
