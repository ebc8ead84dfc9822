// Random numbers of augmentation.
#pragma once

#include <algorithm>
#include <functional>

#include "linnet/types.h"

namespace linnet::training {

/// Numbers in [0, 1), one per call.
using Uniform = std::function<double()>;

/// Uniform in 0, 1, ... last.
inline Index draw_index(const Uniform& draw, Index last) {
  return std::min(static_cast<Index>(draw() * static_cast<double>(last + 1)), last);
}

inline double draw_between(const Uniform& draw, double low, double high) { return low + (high - low) * draw(); }

/// From the normal distribution (Box and Muller, 1958).
double draw_normal(const Uniform& draw, double mean, double deviation);

/// From the beta distribution with both parameters `alpha`, by two gamma variates (Marsaglia and Tsang, 2000).
double draw_beta(const Uniform& draw, double alpha);

}  // namespace linnet::training
