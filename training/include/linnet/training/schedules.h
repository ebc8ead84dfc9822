// The learning rate as a function of the step.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linnet::training {

/// Warm-up, then a curve; the definitions are those of timm (github.com/huggingface/pytorch-image-models,
/// timm/scheduler), for multistep and one_cycle those of PyTorch (torch.optim.lr_scheduler). The unit of t, `warmup`,
/// `length` and so on is whatever the caller counts in: steps or epochs.
struct Schedule {
  std::string kind = "cosine";  ///< one of schedule_kinds()
  double learning_rate = 0.1;   ///< at the top of the curve
  double minimum = 0;  ///< cosine, poly, linear, wsd: the lower end, and the value from the end of the curve on
  double length = 0;   ///< cosine, poly, linear, wsd, one_cycle: where the curve ends; with cycles all of them
  double warmup = 0;   ///< linear from warmup_start at t = 0 to learning_rate at t = warmup
  double warmup_start = 0;
  /// True: the curve starts when the warm-up is over (and ends at warmup + length). False: it starts at t = 0, and the
  /// warm-up lies over its beginning.
  bool warmup_prefix = true;

  double decay_every = 0;          ///< step: multiplies by `decay_rate` each time so much has passed
  double decay_rate = 0.1;         ///< step, multistep
  std::vector<double> milestones;  ///< multistep: multiplies by `decay_rate` at each of these; rising
  double power = 1;  ///< poly: minimum + (learning_rate - minimum) * (1 - t / length)^power; 1 is a straight line
  double decay_length = 0;  ///< wsd: the last so much of the curve falls as 1 - sqrt; before, it is flat

  int cycles = 1;           ///< cosine, poly, linear: so many curves one after the other
  double cycle_factor = 1;  ///< each is so many times as long as the one before
  double cycle_decay = 1;   ///< each starts from so many times the learning rate of the one before

  /// one_cycle (Smith and Topin, 2017, arXiv 1708.07120): up from learning_rate / start_divisor, down to that divided
  /// by end_divisor at t = length - 1; the momentum goes the opposite way.
  double rise = 0.3;  ///< share of the length
  double start_divisor = 25, end_divisor = 1e4;
  bool straight = false;      ///< lines in place of cosines
  bool three_phases = false;  ///< down to the start as fast as up, then further down
  double momentum_low = 0.85, momentum_high = 0.95;
};

/// "constant", "cosine", "step", "multistep", "poly", "linear", "wsd" (warm-up, stable, decay), "one_cycle"
std::vector<std::string_view> schedule_kinds();

/// The rate of the step with index t; the first is 0. Throws linnet::Error for an unknown kind.
double learning_rate(const Schedule& schedule, double t);

/// The momentum that goes with it; nothing unless the kind is one_cycle.
std::optional<double> scheduled_momentum(const Schedule& schedule, double t);

}  // namespace linnet::training
