// Sliding-window arithmetic: how much padding, how many outputs.
#include <algorithm>

#include "linnet/graph.h"

namespace linnet {

Index padding_before(const Padding& padding, Index size, Index kernel, Index stride, Index dilation) {
  if (padding.rule == Padding::Rule::symmetric) return padding.amount;
  const Index span = (kernel - 1) * dilation + 1;
  const Index outputs = (size + stride - 1) / stride;
  return std::max<Index>((outputs - 1) * stride + span - size, 0) / 2;
}

Index window_outputs(const Padding& padding, Index size, Index kernel, Index stride, Index dilation, bool ceil_mode) {
  if (padding.rule == Padding::Rule::same) return (size + stride - 1) / stride;
  const Index span = (kernel - 1) * dilation + 1;
  const Index slack = size + 2 * padding.amount - span;
  if (slack < 0) return 0;
  if (!ceil_mode) return slack / stride + 1;
  const Index outputs = (slack + stride - 1) / stride + 1;
  // A window that would start in the padding behind the input is dropped.
  return (outputs - 1) * stride >= size + padding.amount ? outputs - 1 : outputs;
}

}  // namespace linnet
