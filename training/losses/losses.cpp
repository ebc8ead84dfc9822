#include "linnet/training/losses.h"

#include <string>

#include "linnet/error.h"

namespace linnet::training {
namespace {

autograd::Variable weighted_cross_entropy(const autograd::Variable& logits, const Tensor& targets,
                                          const LossOptions& options, ThreadPool& pool) {
  if (options.class_weights.empty()) return cross_entropy(logits, targets, pool);
  const Index samples = targets.dimension(0), classes = targets.dimension(1);
  if (static_cast<Index>(options.class_weights.size()) != classes)
    throw Error("cross_entropy: expected " + std::to_string(classes) + " class weights, found " +
                std::to_string(options.class_weights.size()));
  const double spread = options.smoothing / static_cast<double>(classes);
  Tensor weighted(targets.shape());
  double divisor = 0;
  for (Index i = 0; i < samples * classes; ++i) {
    const double target = static_cast<double>(targets.data()[i]);
    const double weight = options.class_weights[static_cast<std::size_t>(i % classes)];
    weighted.data()[i] = static_cast<float>(weight * target);
    divisor += weight * (target - spread) / (1 - options.smoothing);  // what the target was before smoothing
  }
  return cross_entropy(logits, weighted, pool, divisor);
}

struct LossRule {
  const char* name;
  autograd::Variable (*loss)(const autograd::Variable& logits, const Tensor& targets, const LossOptions& options,
                             ThreadPool& pool);
};

constexpr LossRule loss_rules[] = {
    {"cross_entropy", weighted_cross_entropy},
    {"bce", [](const autograd::Variable& logits, const Tensor& targets, const LossOptions& options, ThreadPool&) {
       return binary_cross_entropy(logits, targets, options);
     }}};

}  // namespace

std::vector<std::string_view> loss_kinds() {
  std::vector<std::string_view> kinds;
  for (const LossRule& rule : loss_rules) kinds.push_back(rule.name);
  return kinds;
}

autograd::Variable loss_of(const autograd::Variable& logits, const Tensor& targets, const LossOptions& options,
                           ThreadPool& pool) {
  std::string known;
  for (const LossRule& rule : loss_rules) {
    if (options.kind == rule.name) return rule.loss(logits, targets, options, pool);
    known += (known.empty() ? "" : ", ") + std::string(rule.name);
  }
  throw Error("loss: unknown kind '" + options.kind + "', expected one of " + known);
}

}  // namespace linnet::training
