#include "linnet/training/schedules.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "linnet/error.h"

namespace linnet::training {
namespace {

// The largest whole number of times that `divisor` goes into `value`; a rounded quotient may be one too many.
double whole_times(double value, double divisor) { return std::round((value - std::fmod(value, divisor)) / divisor); }

// From `from` at share 0 to `to` at share 1.
double along_cosine(double from, double to, double share) {
  return to + 0.5 * (from - to) * (1 + std::cos(std::numbers::pi * share));
}

double along_line(double from, double to, double share) { return from + (to - from) * share; }

double constant_rate(const Schedule& schedule, double) { return schedule.learning_rate; }

double step_rate(const Schedule& schedule, double t) {
  return schedule.learning_rate * std::pow(schedule.decay_rate, whole_times(t, schedule.decay_every));
}

double multistep_rate(const Schedule& schedule, double t) {
  const auto passed = std::count_if(schedule.milestones.begin(), schedule.milestones.end(),
                                    [t](double milestone) { return milestone <= t; });
  return schedule.learning_rate * std::pow(schedule.decay_rate, static_cast<double>(passed));
}

// A curve that falls from 1 to 0, `fall`, once per cycle.
template <class Fall>
double falling_rate(const Schedule& schedule, double t, Fall&& fall) {
  double lengths = 0;  // of all cycles, that of the first being 1
  for (int i = 0; i < schedule.cycles; ++i) lengths += std::pow(schedule.cycle_factor, i);
  double length = schedule.length / lengths, top = schedule.learning_rate;
  for (int i = 0; i < schedule.cycles; ++i) {
    if (t < length) return schedule.minimum + (top - schedule.minimum) * fall(t / length);
    t -= length;
    length *= schedule.cycle_factor;
    top *= schedule.cycle_decay;
  }
  return schedule.minimum;
}

double cosine_rate(const Schedule& schedule, double t) {
  return falling_rate(schedule, t, [](double share) { return along_cosine(1, 0, share); });
}

double poly_rate(const Schedule& schedule, double t) {
  return falling_rate(schedule, t, [&](double share) { return std::pow(1 - share, schedule.power); });
}

double linear_rate(const Schedule& schedule, double t) {
  return falling_rate(schedule, t, [](double share) { return 1 - share; });
}

double wsd_rate(const Schedule& schedule, double t) {
  const double into = t - (schedule.length - schedule.decay_length);
  if (into < 0) return schedule.learning_rate;
  if (t >= schedule.length) return schedule.minimum;
  return along_line(schedule.learning_rate, schedule.minimum, std::sqrt(into / schedule.decay_length));
}

struct Ends {
  double low, high, last;
};

// What goes up, down and further down in one cycle, at t.
double in_one_cycle(const Schedule& schedule, double t, const Ends& ends) {
  struct Phase {
    double end, from, to;
  };
  const double top = schedule.rise * schedule.length - 1, last = schedule.length - 1;
  const std::vector<Phase> phases =
      schedule.three_phases
          ? std::vector<Phase>{{top, ends.low, ends.high}, {2 * top, ends.high, ends.low}, {last, ends.low, ends.last}}
          : std::vector<Phase>{{top, ends.low, ends.high}, {last, ends.high, ends.last}};
  double begin = 0;
  for (const Phase& phase : phases) {
    if (t <= phase.end) {
      const double share = (t - begin) / (phase.end - begin);
      return schedule.straight ? along_line(phase.from, phase.to, share) : along_cosine(phase.from, phase.to, share);
    }
    begin = phase.end;
  }
  return ends.last;
}

double one_cycle_rate(const Schedule& schedule, double t) {
  const double start = schedule.learning_rate / schedule.start_divisor;
  return in_one_cycle(schedule, t, {start, schedule.learning_rate, start / schedule.end_divisor});
}

struct Curve {
  const char* name;
  double (*rate)(const Schedule& schedule, double t);  ///< t counts from the start of the curve
};

constexpr Curve curves[] = {
    {"constant", constant_rate}, {"cosine", cosine_rate}, {"step", step_rate}, {"multistep", multistep_rate},
    {"poly", poly_rate},         {"linear", linear_rate}, {"wsd", wsd_rate},   {"one_cycle", one_cycle_rate}};

}  // namespace

std::vector<std::string_view> schedule_kinds() {
  std::vector<std::string_view> kinds;
  for (const Curve& curve : curves) kinds.push_back(curve.name);
  return kinds;
}

double learning_rate(const Schedule& schedule, double t) {
  std::string known;
  for (const Curve& curve : curves) {
    known += (known.empty() ? "" : ", ") + std::string(curve.name);
    if (schedule.kind != curve.name) continue;
    if (t < schedule.warmup)
      return schedule.warmup_start + t * ((schedule.learning_rate - schedule.warmup_start) / schedule.warmup);
    return curve.rate(schedule, schedule.warmup_prefix ? t - schedule.warmup : t);
  }
  throw Error("schedule: unknown kind '" + schedule.kind + "', expected one of " + known);
}

std::optional<double> scheduled_momentum(const Schedule& schedule, double t) {
  if (schedule.kind != "one_cycle") return std::nullopt;
  return in_one_cycle(schedule, t, {schedule.momentum_high, schedule.momentum_low, schedule.momentum_high});
}

}  // namespace linnet::training
