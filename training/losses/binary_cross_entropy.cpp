#include <algorithm>
#include <cmath>

#include "linnet/error.h"
#include "linnet/training/losses.h"
#include "training/losses/slopes.h"

namespace linnet::training {
namespace {

// log(1 + exp(x)), without overflow.
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

double logistic(double x) {
  const double e = std::exp(-std::fabs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

}  // namespace

autograd::Variable binary_cross_entropy(const autograd::Variable& logits, const Tensor& targets,
                                        const LossOptions& options) {
  const Tensor& values = logits.value();
  if (values.shape().size() != 2 || values.size() == 0 || values.shape() != targets.shape())
    throw Error("bce: logits and targets must be [samples, classes] of one shape, found " + to_string(values.shape()) +
                " and " + to_string(targets.shape()));
  const double positive = options.positive_weight;
  const double share = 1 / static_cast<double>(options.sum_classes ? values.dimension(0) : values.size());
  // loss = positive * t * softplus(-x) + (1 - t) * softplus(x)
  Tensor slopes(values.shape());  // its derivative
  double sum = 0;
  for (Index i = 0; i < values.size(); ++i) {
    const double x = static_cast<double>(values.data()[i]);
    double target = static_cast<double>(targets.data()[i]);
    if (options.threshold) target = target > *options.threshold ? 1 : 0;
    sum += positive * target * softplus(-x) + (1 - target) * softplus(x);
    slopes.data()[i] = static_cast<float>(((1 - target) * logistic(x) - positive * target * logistic(-x)) * share);
  }
  return with_slopes("bce", logits, sum * share, slopes);
}

}  // namespace linnet::training
