// What training minimises.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "linnet/autograd.h"

namespace linnet::training {

/// Labels as probabilities, [labels, classes]: 1 on the label, 0 elsewhere. Throws linnet::Error that names a label
/// outside [0, classes).
Tensor one_hot(std::span<const int> labels, Index classes);

/// targets * (1 - smoothing) + smoothing * towards. Throws linnet::Error for a smoothing outside [0, 1).
Tensor smoothed(const Tensor& targets, float smoothing, float towards);

/// one_hot, smoothed towards 1 / classes. Throws linnet::Error as these do.
Tensor smoothed_targets(std::span<const int> labels, Index classes, float smoothing);

/// Targets of mixed samples: share * own + (1 - share) * those of the sample at the mirrored place.
Tensor mixed_targets(const Tensor& targets, std::span<const float> shares);

struct LossOptions {
  std::string kind = "cross_entropy";  ///< one of loss_kinds()
  double smoothing = 0;                ///< that the targets were smoothed with; divides out of the class weights' sum
  /// cross_entropy: a factor per class. The sum over the samples is then divided by the sum of the weights of their
  /// labels (of mixed targets by as much of each as they have), as torch.nn.CrossEntropyLoss does. Empty: all 1.
  std::vector<double> class_weights;
  std::optional<double> threshold;  ///< bce: targets above it become 1, others 0
  bool sum_classes = false;         ///< bce: sum over the classes, mean over the samples; otherwise mean over both
  double positive_weight = 1;       ///< bce: factor of the part of each loss that a target above 0 has
};

/// "cross_entropy", "bce"
std::vector<std::string_view> loss_kinds();

/// A scalar. `logits` and `targets` are [samples, classes]. Throws linnet::Error if the shapes differ, for an unknown
/// kind, and if there is not one class weight per class.
autograd::Variable loss_of(const autograd::Variable& logits, const Tensor& targets, const LossOptions& options,
                           ThreadPool& pool);

/// The sum over the samples of -sum over classes of target * log_softmax(logits), divided by `divisor`, or by the
/// number of samples.
autograd::Variable cross_entropy(const autograd::Variable& logits, const Tensor& targets, ThreadPool& pool,
                                 std::optional<double> divisor = {});

/// Each class by itself: binary cross entropy of the logistic function of its logit (timm's BinaryCrossEntropy;
/// Wightman et al. 2021, arXiv 2110.00476).
autograd::Variable binary_cross_entropy(const autograd::Variable& logits, const Tensor& targets,
                                        const LossOptions& options);

/// How near the logits are to a teacher's: "kl", the divergence of softmax(logits / temperature) from
/// softmax(teacher / temperature), mean over the samples, times temperature^2 (Hinton et al. 2015, arXiv 1503.02531);
/// "mse", the mean square of the differences. Throws linnet::Error for other kinds or if the shapes differ.
autograd::Variable distillation(const autograd::Variable& logits, const Tensor& teacher, const std::string& kind,
                                double temperature, ThreadPool& pool);

/// The sum of weight * loss, of scalars.
autograd::Variable weighted_sum(const std::vector<std::pair<autograd::Variable, double>>& terms);

}  // namespace linnet::training
