#include "training/data/random.h"

#include <cmath>
#include <numbers>

namespace linnet::training {
namespace {

double draw_gamma(const Uniform& draw, double alpha) {
  if (alpha < 1) {
    const double u = 1 - draw();
    return draw_gamma(draw, alpha + 1) * std::pow(u, 1 / alpha);
  }
  const double d = alpha - 1.0 / 3.0, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = draw_normal(draw, 0, 1), v = 1 + c * x;
    if (v <= 0) continue;
    const double cube = v * v * v;
    if (std::log(1 - draw()) < 0.5 * x * x + d - d * cube + d * std::log(cube)) return d * cube;
  }
}

}  // namespace

double draw_normal(const Uniform& draw, double mean, double deviation) {
  const double radius = std::sqrt(-2 * std::log(1 - draw()));
  return mean + deviation * radius * std::cos(2 * std::numbers::pi * draw());
}

double draw_beta(const Uniform& draw, double alpha) {
  if (alpha == 1) return draw();
  const double a = draw_gamma(draw, alpha), b = draw_gamma(draw, alpha);
  return a + b > 0 ? a / (a + b) : 0.5;  // both can underflow for tiny alpha
}

}  // namespace linnet::training
