#include "kernels/softmax/softmax.h"

#include "engine/autograd/checks.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {

Variable softmax(const Variable& x, ThreadPool& pool) {
  Tensor output(batch_output_shape(op::Softmax{}, {x}));
  const Index rows = rows_of(output), size = output.shape().back();
  kernels::softmax(pool, rows, size, x.value().data(), output.data());
  return Variable::record("softmax", output, {x}, [=, &pool](const Tensor& gradient) {
    Tensor result(gradient.shape());
    kernels::softmax_gradient(pool, rows, size, output.data(), gradient.data(), result.data());
    return std::vector<Tensor>{result};
  });
}

}  // namespace linnet::autograd
