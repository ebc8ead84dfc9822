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

autograd::Variable weighted_sum(const autograd::Variable& a, double weight_a, const autograd::Variable& b,
                                double weight_b) {
  const double value =
      weight_a * static_cast<double>(a.value().data()[0]) + weight_b * static_cast<double>(b.value().data()[0]);
  auto backward = [weight_a, weight_b](const Tensor& output_gradient) {
    const double gradient = static_cast<double>(output_gradient.data()[0]);
    return std::vector<Tensor>{Tensor::full({}, static_cast<float>(weight_a * gradient)),
                               Tensor::full({}, static_cast<float>(weight_b * gradient))};
  };
  return autograd::Variable::record("weighted_sum", Tensor::full({}, static_cast<float>(value)), {a, b},
                                    std::move(backward));
}

}  // namespace linnet::training
