// When the next request may go.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>

#include "linnet/tracking/comet.h"

namespace linnet::tracking::comet {

/// Thrown where an uploader that was told to stop would wait or send.
struct Stopped {};

/// Sleeps that another thread can end for good.
class Sleeper {
 public:
  void sleep(double seconds);  ///< throws Stopped
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
};

/// So many a second on average; a burst may come at once.
class Bucket {
 public:
  Bucket(double per_second, double burst) : rate_(per_second), burst_(burst), level_(burst) {}
  /// Takes `count`, and returns the seconds to wait before they are due.
  double take(double count);

 private:
  double rate_, burst_, level_;
  std::chrono::steady_clock::time_point time_ = std::chrono::steady_clock::now();
};

class Pace {
 public:
  Pace(const CometPace& pace, Sleeper& sleeper);
  /// Before a request with so many values.
  void wait_for_turn(std::size_t values);
  /// After the `failures`th request in a row that came to nothing.
  void back_off(int failures);
  /// After 429; `seconds` as the server says, below 0 if it does not.
  void throttled(double seconds);
  /// Before a reader asks again whether something has arrived. How often it asks is random: what fails in a fixed
  /// rhythm would otherwise meet the same request each time.
  void before_next_look();
  /// Before the next look for new values.
  void idle();

 private:
  double random(double from, double to) { return std::uniform_real_distribution<double>(from, to)(random_); }

  const CometPace pace_;
  Sleeper& sleeper_;
  Bucket requests_, values_;
  std::mt19937 random_{std::random_device{}()};
};

}  // namespace linnet::tracking::comet
