#include "engine/compile/pack.h"

#include "kernels/conv/conv.h"
#include "kernels/pointwise/pointwise.h"

namespace linnet::compiler {

Tensor pack_pointwise(const Tensor& weight) {
  const Index outputs = weight.dimension(0), inputs = weight.dimension(1);
  Tensor packed(Shape{static_cast<Index>(kernels::pointwise_packed_size(inputs, outputs))});
  kernels::pointwise_pack(weight.data(), inputs, 1, inputs, outputs, packed.data());
  return packed;
}

Tensor pack_dense(const Tensor& weight) {
  const Index outputs = weight.dimension(0), inputs = weight.dimension(1);
  const Index area = weight.dimension(2) * weight.dimension(3);
  Tensor packed(Shape{static_cast<Index>(kernels::conv_packed_size(inputs, outputs, area))});
  kernels::conv_pack(weight.data(), inputs, outputs, area, packed.data());
  return packed;
}

}  // namespace linnet::compiler
