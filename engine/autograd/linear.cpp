#include "kernels/linear/linear.h"

#include "engine/autograd/checks.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {

Variable linear(const Variable& x, const Variable& weight, const Variable& bias, ThreadPool& pool) {
  const Index out = weight.shape().empty() ? 0 : weight.shape()[0];
  const Shape shape = batch_output_shape(op::Linear{.out_features = out}, {x});
  const Index rows = x.shape()[0], in = x.shape()[1];
  check_shape("linear", "a weight", {out, in}, weight.shape());
  if (bias.defined()) check_shape("linear", "a bias", {out}, bias.shape());

  Tensor output(shape);
  kernels::linear(pool, {.rows = rows,
                         .in_features = in,
                         .out_features = out,
                         .input = x.value().data(),
                         .weights = weight.value().data(),
                         .bias = bias.defined() ? bias.value().data() : nullptr,
                         .activation = Activation::none,
                         .output = output.data()});
  return Variable::record(
      "linear", std::move(output), {x, weight, bias},
      [rows, in, out, x = x.value(), weight = weight.value(), wants_x = x.requires_gradient(),
       wants_weight = weight.requires_gradient(), wants_bias = bias.requires_gradient(),
       &pool](const Tensor& gradient) {
        std::vector<Tensor> gradients(3);
        if (wants_x) {
          gradients[0] = Tensor(x.shape());
          kernels::linear_input_gradient(pool, rows, in, out, gradient.data(), weight.data(), gradients[0].data());
        }
        if (wants_weight) {
          gradients[1] = Tensor(weight.shape());
          kernels::linear_weight_gradient(pool, rows, in, out, x.data(), gradient.data(), gradients[1].data());
        }
        if (wants_bias) {
          gradients[2] = Tensor({out});
          kernels::bias_gradient(pool, rows, out, gradient.data(), gradients[2].data());
        }
        return gradients;
      });
}

}  // namespace linnet::autograd
