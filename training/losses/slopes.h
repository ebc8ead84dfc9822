// Losses whose derivatives are computed together with their values.
#pragma once

#include <utility>
#include <vector>

#include "linnet/autograd.h"

namespace linnet::training {

/// A scalar whose derivatives by the logits are `slopes`.
inline autograd::Variable with_slopes(const char* operation, const autograd::Variable& logits, double value,
                                      const Tensor& slopes) {
  auto backward = [slopes](const Tensor& output_gradient) {
    Tensor gradient(slopes.shape());
    for (Index i = 0; i < slopes.size(); ++i) gradient.data()[i] = output_gradient.data()[0] * slopes.data()[i];
    return std::vector<Tensor>{gradient};
  };
  return autograd::Variable::record(operation, Tensor::full({}, static_cast<float>(value)), {logits},
                                    std::move(backward));
}

}  // namespace linnet::training
