// A long curve in few points: no extreme is lost, and the mean of what lies between is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "linnet/tracking/record.h"

namespace linnet::tools {

/// A point that was logged, and the logged points that it stands for.
struct ThinPoint {
  tracking::Point point;
  double mean;    ///< of the finite values that it stands for; NaN if there are none
  double weight;  ///< how many points these are; the kept points of an interval share them
};

/// How a curve is cut into intervals: of one length, or growing with the distance from its beginning (for a logarithmic
/// axis).
enum class Spacing { even, logarithmic };

/// Takes `count` points in their order, cuts them into intervals and keeps of each the smallest, the largest and one
/// that is not finite; besides the first and the last point of all.
class Thinner {
 public:
  Thinner(std::int64_t count, std::int64_t intervals, Spacing spacing);
  void add(const tracking::Point& point);
  std::vector<ThinPoint> finish();

 private:
  struct Interval {
    std::optional<tracking::Point> smallest, largest, not_finite, end;
    double sum = 0;
    std::int64_t points = 0, finite = 0;
  };

  std::int64_t interval_of(std::int64_t index) const;
  void close();

  std::int64_t count_, intervals_;
  Spacing spacing_;
  std::int64_t index_ = 0, number_ = 0;
  Interval interval_;
  std::vector<ThinPoint> result_;
};

}  // namespace linnet::tools
