// What training minimises.
#pragma once

#include <span>

#include "linnet/autograd.h"

namespace linnet::training {

/// Labels as probabilities, [labels, classes]: 1 - smoothing + smoothing / classes on the label, smoothing / classes
/// elsewhere. Throws linnet::Error that names a label outside [0, classes) or a smoothing outside [0, 1).
Tensor smoothed_targets(std::span<const int> labels, Index classes, float smoothing);

/// The mean over the samples of -sum over classes of target * log_softmax(logits): a scalar. `logits` and `targets`
/// are [samples, classes]. Throws linnet::Error if the shapes differ.
autograd::Variable cross_entropy(const autograd::Variable& logits, const Tensor& targets, ThreadPool& pool);

}  // namespace linnet::training
