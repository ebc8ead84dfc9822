// Gradients by finite differences, to check those of the tape.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "linnet/autograd.h"
#include "linnet/random.h"

namespace linnet::testing {

/// Values in [low, high), the same for the same stream.
inline Tensor random_tensor(Shape shape, std::uint64_t stream, float low = -1.0f, float high = 1.0f) {
  Tensor tensor(std::move(shape));
  const CounterRandom random(20, stream);
  for (Index i = 0; i < tensor.size(); ++i)
    tensor.data()[i] = low + (high - low) * random.uniform(static_cast<std::uint64_t>(i));
  return tensor;
}

/// All multiples of `gap` around zero in random order: no two values are near each other, none is near zero.
inline Tensor spread_tensor(Shape shape, std::uint64_t stream, float gap) {
  Tensor tensor(std::move(shape));
  const CounterRandom random(21, stream);
  for (Index i = 0; i < tensor.size(); ++i) tensor.data()[i] = gap * (static_cast<float>(i - tensor.size() / 2) + 0.5f);
  for (Index i = tensor.size() - 1; i > 0; --i) {
    const auto j = random.below(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(i + 1));
    std::swap(tensor.data()[i], tensor.data()[j]);
  }
  return tensor;
}

/// A loss of one value that depends on each element of x in its own way: sum of x * `weights`, in double.
inline double weighted_sum(const Tensor& x, const Tensor& weights) {
  double sum = 0;
  for (Index i = 0; i < x.size(); ++i) sum += static_cast<double>(x.data()[i]) * static_cast<double>(weights.data()[i]);
  return sum;
}
inline autograd::Variable weighted_sum(const autograd::Variable& x, const Tensor& weights) {
  return autograd::Variable::record("weighted_sum",
                                    Tensor::full({}, static_cast<float>(weighted_sum(x.value(), weights))), {x},
                                    [weights](const Tensor& gradient) {
                                      Tensor result = weights.clone();
                                      for (Index i = 0; i < result.size(); ++i) result.data()[i] *= *gradient.data();
                                      return std::vector<Tensor>{result};
                                    });
}

/// The largest difference between the tape's gradients of `function` and finite differences of fourth order, relative
/// to the largest gradient (at least 1) of the input in question. `step`: 1/32 suits smooth functions, 1/2 those that
/// are linear in each input. Looks at no more than `most` elements of each input.
inline double gradient_error(const std::vector<Tensor>& inputs,
                             const std::function<autograd::Variable(const std::vector<autograd::Variable>&)>& function,
                             ThreadPool& pool, double step = 1.0 / 32, Index most = 150) {
  const auto variables = [&](bool requires_gradient) {
    std::vector<autograd::Variable> result;
    for (const Tensor& input : inputs) result.emplace_back(input.clone(), requires_gradient);
    return result;
  };
  const std::vector<autograd::Variable> leaves = variables(true);
  const autograd::Variable output = function(leaves);
  const Tensor weights = random_tensor(output.shape(), 99);
  autograd::backward(weighted_sum(output, weights), pool);

  double worst = 0;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Tensor& gradient = leaves[k].gradient();
    if (gradient.shape() != inputs[k].shape()) return HUGE_VAL;
    std::vector<autograd::Variable> moved = variables(false);
    float& (*at)(Tensor&, Index) = [](Tensor& tensor, Index i) -> float& { return tensor.data()[i]; };
    double largest = 1, difference = 0;
    const Index stride = std::max<Index>(1, inputs[k].size() / most);
    for (Index i = 0; i < inputs[k].size(); i += stride) {
      const float original = at(moved[k].value(), i);
      const auto loss = [&](double offset) {
        at(moved[k].value(), i) = static_cast<float>(static_cast<double>(original) + offset);
        const double result = weighted_sum(function(moved).value(), weights);
        at(moved[k].value(), i) = original;
        return result;
      };
      const double expected = (8 * (loss(step) - loss(-step)) - (loss(2 * step) - loss(-2 * step))) / (12 * step);
      const double found = static_cast<double>(gradient.data()[i]);
      if (!std::isfinite(found)) return HUGE_VAL;
      largest = std::max(largest, std::abs(expected));
      difference = std::max(difference, std::abs(found - expected));
    }
    worst = std::max(worst, difference / largest);
  }
  return worst;
}

}  // namespace linnet::testing
