#include "linnet/training/schedules.h"

#include <cmath>
#include <numbers>

#include "linnet/error.h"

namespace linnet::training {

std::vector<std::string_view> schedule_kinds() { return {"constant", "cosine", "poly", "step"}; }

double learning_rate(const Schedule& schedule, double t) {
  const double top = schedule.learning_rate;
  if (t < schedule.warmup) return schedule.warmup_start + t * ((top - schedule.warmup_start) / schedule.warmup);
  if (schedule.warmup_prefix) t -= schedule.warmup;

  if (schedule.kind == "constant") return top;
  if (schedule.kind == "step") return top * std::pow(schedule.decay_rate, std::floor(t / schedule.decay_every));
  const double range = top - schedule.minimum;
  if (schedule.kind == "cosine") {
    if (t >= schedule.length) return schedule.minimum;
    return schedule.minimum + 0.5 * range * (1 + std::cos(std::numbers::pi * t / schedule.length));
  }
  if (schedule.kind == "poly") {
    if (t >= schedule.length) return schedule.minimum;
    return schedule.minimum + range * std::pow(1 - t / schedule.length, schedule.power);
  }
  throw Error("schedule: unknown kind '" + schedule.kind + "', expected constant, cosine, poly or step");
}

}  // namespace linnet::training
