#include "benches/bench_models/soak.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace linnet::bench {

double soak_interval(double seconds) { return std::max(seconds / 30, 0.1); }

std::string soak_table(const std::vector<SoakPoint>& points) {
  std::ostringstream text;
  text << std::fixed;
  text << "  time s  median ms  speed     MHz       C  throttled\n";
  for (const SoakPoint& point : points) {
    text << std::setprecision(1) << std::setw(8) << point.seconds << std::setprecision(3) << std::setw(11)
         << point.median_ms << std::setprecision(0) << std::setw(6) << 100 * points[0].median_ms / point.median_ms
         << '%' << std::setw(8);
    if (point.mhz > 0) {
      text << point.mhz;
    } else {
      text << '-';
    }
    text << std::setw(8) << std::setprecision(1);
    if (point.celsius) {
      text << *point.celsius;
    } else {
      text << '-';
    }
    std::string causes;
    for (const std::string& cause : point.throttled) causes += (causes.empty() ? "  " : ", ") + cause;
    text << causes << '\n';
  }
  return text.str();
}

}  // namespace linnet::bench
