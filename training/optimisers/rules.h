// The rules of the optimisers, one row each.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "linnet/training/optimisers.h"

namespace linnet::training {

/// Numbers that belong together: a part of a parameter, its gradient and its slots (null where the options do without).
struct OptimiserSpan {
  Index size;
  float* parameter;
  float* gradient;
  std::array<float*, 3> slots;
  double learning_rate;
  double weight_decay;
};

/// What a step has in common for all parameters. `options` has all defaults filled in.
struct OptimiserStep {
  const OptimiserOptions& options;
  std::int64_t number;  ///< from 1
};

/// A tensor of state beside each parameter.
struct OptimiserSlot {
  const char* name;
  float initial = 0;
  bool (*wanted)(const OptimiserOptions&) = nullptr;  ///< null: always
};

struct OptimiserRule {
  const char* name;
  double beta2, epsilon;  ///< where the options say nothing
  std::span<const OptimiserSlot> slots;
  void (*update)(const OptimiserStep&, const OptimiserSpan&);
  /// For rules that need norms of whole parameters: update() writes the direction over the gradient, and this is
  /// called with the sums of squares of the parameter and of the direction.
  void (*finish)(const OptimiserStep&, const OptimiserSpan&, double parameter_square, double direction_square);
};

extern const OptimiserRule sgd_rule, rmsprop_rule, rmsprop_tf_rule, adam_rule, adamw_rule, lamb_rule, lion_rule;

/// Throws linnet::Error that lists the kinds.
const OptimiserRule& find_optimiser_rule(const std::string& kind);

}  // namespace linnet::training
