// The learning rate as a function of the step.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linnet::training {

/// Warm-up, then a curve; the definitions are those of timm (github.com/huggingface/pytorch-image-models,
/// timm/scheduler). The unit of t, `warmup`, `length` and `decay_every` is whatever the caller counts in: steps here,
/// epochs in many recipes.
struct Schedule {
  std::string kind = "cosine";  ///< one of schedule_kinds()
  double learning_rate = 0.1;   ///< at the top of the curve
  double minimum = 0;           ///< cosine, poly: the lower end, and the value from the end of the curve on
  double length = 0;            ///< cosine, poly: where the curve ends
  double warmup = 0;            ///< linear from warmup_start at t = 0 to learning_rate at t = warmup
  double warmup_start = 0;
  /// True: the curve starts when the warm-up is over (and ends at warmup + length). False: it starts at t = 0, and the
  /// warm-up lies over its beginning.
  bool warmup_prefix = true;
  double decay_every = 0;  ///< step: multiplies by `decay_rate` each time so much has passed
  double decay_rate = 0.1;
  double power = 1;  ///< poly: minimum + (learning_rate - minimum) * (1 - t / length)^power; 1 is a straight line
};

/// "constant", "cosine", "poly", "step"
std::vector<std::string_view> schedule_kinds();

/// The rate of the step with index t; the first is 0. Throws linnet::Error for an unknown kind.
double learning_rate(const Schedule& schedule, double t);

}  // namespace linnet::training
