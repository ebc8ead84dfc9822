// Stochastic gradient descent with momentum.
#pragma once

#include "linnet/training/optimisers.h"

namespace linnet::training {

class Sgd final : public Optimiser {
 public:
  Sgd(const Parameters& parameters, const OptimiserOptions& options);

 private:
  void begin_step(std::int64_t step, double learning_rate) override;
  void update(const Span& span) const override;

  float momentum_, learning_rate_ = 0;
  bool nesterov_;
};

}  // namespace linnet::training
