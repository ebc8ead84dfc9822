#include <string>

#include "linnet/error.h"
#include "linnet/training/losses.h"

namespace linnet::training {

Tensor one_hot(std::span<const int> labels, Index classes) {
  const Index samples = static_cast<Index>(labels.size());
  Tensor targets = Tensor::zeros({samples, classes});
  for (Index i = 0; i < samples; ++i) {
    const int label = labels[static_cast<std::size_t>(i)];
    if (label < 0 || label >= classes)
      throw Error("loss: label " + std::to_string(label) + " of sample " + std::to_string(i) + " is not one of the " +
                  std::to_string(classes) + " classes");
    targets.data()[i * classes + label] = 1;
  }
  return targets;
}

Tensor smoothed(const Tensor& targets, float smoothing, float towards) {
  if (!(smoothing >= 0 && smoothing < 1))
    throw Error("loss: label smoothing must be in [0, 1), found " + std::to_string(smoothing));
  Tensor result(targets.shape());
  for (Index i = 0; i < targets.size(); ++i)
    result.data()[i] = targets.data()[i] * (1 - smoothing) + smoothing * towards;
  return result;
}

Tensor smoothed_targets(std::span<const int> labels, Index classes, float smoothing) {
  return smoothed(one_hot(labels, classes), smoothing, 1 / static_cast<float>(classes));
}

Tensor mixed_targets(const Tensor& targets, std::span<const float> shares) {
  const Index samples = targets.dimension(0), classes = targets.dimension(1);
  Tensor result(targets.shape());
  for (Index i = 0; i < samples; ++i) {
    const float share = shares[static_cast<std::size_t>(i)];
    const float* own = targets.data() + i * classes;
    const float* other = targets.data() + (samples - 1 - i) * classes;
    for (Index c = 0; c < classes; ++c) result.data()[i * classes + c] = own[c] * share + other[c] * (1 - share);
  }
  return result;
}

}  // namespace linnet::training
