#include <cmath>
#include <utility>

#include "kernels/softmax/softmax.h"
#include "linnet/error.h"
#include "linnet/training/losses.h"
#include "training/losses/slopes.h"

namespace linnet::training {
namespace {

Tensor scaled_log_softmax(const Tensor& logits, double temperature, ThreadPool& pool) {
  Tensor scaled(logits.shape()), result(logits.shape());
  for (Index i = 0; i < logits.size(); ++i) scaled.data()[i] = logits.data()[i] / static_cast<float>(temperature);
  kernels::log_softmax(pool, logits.dimension(0), logits.dimension(1), scaled.data(), result.data());
  return result;
}

autograd::Variable divergence(const autograd::Variable& logits, const Tensor& teacher, double temperature,
                              ThreadPool& pool) {
  const Tensor own = scaled_log_softmax(logits.value(), temperature, pool);
  const Tensor wanted = scaled_log_softmax(teacher, temperature, pool);
  const double samples = static_cast<double>(own.dimension(0));
  Tensor slopes(own.shape());
  double sum = 0;
  for (Index i = 0; i < own.size(); ++i) {
    const double p = std::exp(static_cast<double>(wanted.data()[i])), q = std::exp(static_cast<double>(own.data()[i]));
    if (p > 0) sum += p * (static_cast<double>(wanted.data()[i]) - static_cast<double>(own.data()[i]));
    slopes.data()[i] = static_cast<float>(temperature / samples * (q - p));
  }
  return with_slopes("distillation", logits, sum * temperature * temperature / samples, slopes);
}

autograd::Variable mean_square(const autograd::Variable& logits, const Tensor& teacher, double, ThreadPool&) {
  const Tensor& own = logits.value();
  const double count = static_cast<double>(own.size());
  Tensor slopes(own.shape());
  double sum = 0;
  for (Index i = 0; i < own.size(); ++i) {
    const double difference = static_cast<double>(own.data()[i]) - static_cast<double>(teacher.data()[i]);
    sum += difference * difference;
    slopes.data()[i] = static_cast<float>(2 * difference / count);
  }
  return with_slopes("distillation", logits, sum / count, slopes);
}

}  // namespace

autograd::Variable distillation(const autograd::Variable& logits, const Tensor& teacher, const std::string& kind,
                                double temperature, ThreadPool& pool) {
  const Shape& shape = logits.value().shape();
  if (shape.size() != 2 || logits.value().size() == 0 || shape != teacher.shape())
    throw Error("distillation: the logits of student and teacher must be [samples, classes] of one shape, found " +
                to_string(shape) + " and " + to_string(teacher.shape()));
  if (kind == "kl") return divergence(logits, teacher, temperature, pool);
  if (kind == "mse") return mean_square(logits, teacher, temperature, pool);
  throw Error("distillation: unknown kind '" + kind + "', expected kl or mse");
}

autograd::Variable weighted_sum(const std::vector<std::pair<autograd::Variable, double>>& terms) {
  double value = 0;
  std::vector<autograd::Variable> losses;
  std::vector<double> weights;
  for (const auto& [loss, weight] : terms) {
    value += weight * static_cast<double>(loss.value().data()[0]);
    losses.push_back(loss);
    weights.push_back(weight);
  }
  auto backward = [weights](const Tensor& output_gradient) {
    std::vector<Tensor> gradients;
    for (const double weight : weights)
      gradients.push_back(
          Tensor::full({}, static_cast<float>(weight * static_cast<double>(output_gradient.data()[0]))));
    return gradients;
  };
  return autograd::Variable::record("weighted_sum", Tensor::full({}, static_cast<float>(value)), std::move(losses),
                                    std::move(backward));
}

}  // namespace linnet::training
