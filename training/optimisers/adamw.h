// Adam with decoupled weight decay.
#pragma once

#include "linnet/training/optimisers.h"

namespace linnet::training {

class AdamW final : public Optimiser {
 public:
  AdamW(const Parameters& parameters, const OptimiserOptions& options);

 private:
  void begin_step(std::int64_t step, double learning_rate) override;
  void update(const Span& span) const override;

  double beta1_, beta2_;
  float epsilon_;
  float learning_rate_ = 0;
  float step_size_ = 0;        ///< learning rate / (1 - beta1^step)
  float root_correction_ = 1;  ///< 1 / sqrt(1 - beta2^step)
};

}  // namespace linnet::training
