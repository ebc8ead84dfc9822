#include "training/tracking/comet/pace.h"

#include <algorithm>
#include <cmath>

namespace linnet::tracking::comet {

void Sleeper::sleep(double seconds) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return stopping_; });
  if (stopping_) throw Stopped();
}

void Sleeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

double Bucket::take(double count) {
  const auto now = std::chrono::steady_clock::now();
  level_ = std::min(burst_, level_ + rate_ * std::chrono::duration<double>(now - time_).count()) - count;
  time_ = now;
  return std::max(0.0, -level_ / rate_);
}

Pace::Pace(const CometPace& pace, Sleeper& sleeper)
    : pace_(pace),
      sleeper_(sleeper),
      requests_(pace.requests_per_second, 15 * pace.requests_per_second),
      values_(pace.values_per_second, 6 * pace.values_per_second) {}

void Pace::wait_for_turn(std::size_t values) {
  sleeper_.sleep(std::max(requests_.take(1), values_.take(static_cast<double>(values))));
}

void Pace::back_off(int failures) {
  const double longest = pace_.first_delay_seconds * std::pow(2.0, std::min(failures - 1, 20));
  sleeper_.sleep(random(0.1, 1) * std::min(longest, pace_.longest_delay_seconds));
}

void Pace::throttled(double seconds) {
  const double least = seconds < 0 ? pace_.throttled_seconds : seconds;
  sleeper_.sleep(least + random(0, 1) * std::min(1.0, pace_.first_delay_seconds));
}

void Pace::before_next_look() { sleeper_.sleep(random(0.02, 0.3) * pace_.settle_seconds); }

void Pace::idle() { sleeper_.sleep(random(0.75, 1.25) * pace_.interval_seconds); }

}  // namespace linnet::tracking::comet
