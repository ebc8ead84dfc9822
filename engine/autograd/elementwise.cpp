#include "kernels/elementwise/elementwise.h"

#include "engine/autograd/checks.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {

Variable activate(const Variable& x, Activation activation, ThreadPool& pool) {
  if (activation == Activation::none) return x;
  Tensor output(x.shape());
  kernels::activate(pool, activation, output.size(), x.value().data(), output.data());
  return Variable::record("activate", std::move(output), {x}, [=, x = x.value(), &pool](const Tensor& gradient) {
    Tensor result = reuse_or_allocate(gradient);
    kernels::activate_gradient(pool, activation, x.size(), x.data(), gradient.data(), result.data());
    return std::vector<Tensor>{result};
  });
}

Variable add(const Variable& a, const Variable& b, ThreadPool& pool) {
  check_shape("add", "a second input", a.shape(), b.shape());
  Tensor output(a.shape());
  kernels::add(pool, output.size(), a.value().data(), b.value().data(), Activation::none, output.data());
  return Variable::record("add", std::move(output), {a, b}, [](const Tensor& gradient) {
    return std::vector<Tensor>{gradient, gradient};
  });
}

}  // namespace linnet::autograd
