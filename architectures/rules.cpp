#include "architectures/rules.h"

#include <cmath>
#include <numeric>

namespace linnet::architectures {

std::vector<Index> scale_repeats(std::vector<Index> repeats, double depth) {
  Index left = std::accumulate(repeats.begin(), repeats.end(), Index{0});
  auto left_scaled = static_cast<Index>(std::ceil(double(left) * depth));
  for (std::size_t row = repeats.size(); row-- > 0;) {
    const double share = double(repeats[row]) / double(left) * double(left_scaled);
    left -= repeats[row];
    repeats[row] = std::max<Index>(1, static_cast<Index>(std::nearbyint(share)));
    left_scaled -= repeats[row];
  }
  return repeats;
}

}  // namespace linnet::architectures
