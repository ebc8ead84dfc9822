#include "engine/blur_filter.h"

namespace linnet {

Tensor blur_filter(Index channels) {
  constexpr float binomial[] = {0.25f, 0.5f, 0.25f};
  Tensor filter({channels, 1, op::BlurPool::kernel, op::BlurPool::kernel});
  float* weight = filter.data();
  for (Index channel = 0; channel < channels; ++channel) {
    for (const float row : binomial) {
      for (const float column : binomial) *weight++ = row * column;
    }
  }
  return filter;
}

}  // namespace linnet
