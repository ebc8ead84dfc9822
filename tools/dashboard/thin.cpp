#include "thin.h"

#include <algorithm>
#include <cmath>

namespace linnet::tools {

using tracking::Point;

Thinner::Thinner(std::int64_t count, std::int64_t intervals, Spacing spacing)
    : count_(count), intervals_(std::min(count, intervals)), spacing_(spacing) {}

std::int64_t Thinner::interval_of(std::int64_t index) const {
  const auto place = static_cast<double>(index), count = static_cast<double>(count_);
  const double share = spacing_ == Spacing::even ? place / count : std::log1p(place) / std::log1p(count);
  return static_cast<std::int64_t>(share * static_cast<double>(intervals_));
}

void Thinner::add(const Point& point) {
  if (const std::int64_t number = interval_of(index_); number != number_) {
    close();
    number_ = number;
  }
  ++interval_.points;
  if (std::isfinite(point.value)) {
    ++interval_.finite;
    interval_.sum += point.value;
    if (!interval_.smallest || point.value < interval_.smallest->value) interval_.smallest = point;
    if (!interval_.largest || point.value > interval_.largest->value) interval_.largest = point;
  } else {
    interval_.not_finite = point;
  }
  if (index_ == 0 || index_ + 1 == count_) interval_.end = point;
  ++index_;
}

void Thinner::close() {
  std::vector<Point> kept;
  for (const auto& point : {interval_.smallest, interval_.largest, interval_.not_finite, interval_.end})
    if (point) kept.push_back(*point);
  std::sort(kept.begin(), kept.end(), [](const Point& a, const Point& b) { return a.place < b.place; });
  const auto same = [](const Point& a, const Point& b) { return a.place == b.place; };
  kept.erase(std::unique(kept.begin(), kept.end(), same), kept.end());
  const double mean = interval_.finite == 0 ? std::nan("") : interval_.sum / static_cast<double>(interval_.finite);
  const double weight =
      static_cast<double>(interval_.points) / static_cast<double>(std::max<std::size_t>(kept.size(), 1));
  for (const Point& point : kept) result_.push_back({point, mean, weight});
  interval_ = {};
}

std::vector<ThinPoint> Thinner::finish() {
  close();
  return std::move(result_);
}

}  // namespace linnet::tools
