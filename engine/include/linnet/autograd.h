// Reverse-mode automatic differentiation: a tape over tensors. The core knows no operation by name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "linnet/tensor.h"
#include "linnet/thread_pool.h"

namespace linnet::autograd {

/// Gradients for the inputs of an operation, given the gradient of its output; same order as the inputs. An empty
/// tensor stands for "not needed" or "zero". The gradient of the output is handed over: unless it is_shared(), a
/// result may be written into it. Capture the tensors that are needed, never Variables: those would keep the tape
/// alive.
using Backward = std::function<std::vector<Tensor>(Tensor output_gradient)>;

/// A value on the tape. Copies are handles to the same value. The tape itself holds no values but those that the
/// operations captured: a value that no later gradient needs is freed with its last handle.
class Variable {
 public:
  Variable() = default;

  /// A leaf: a parameter (requires_gradient) or an input.
  explicit Variable(Tensor value, bool requires_gradient = false);

  /// The result of an operation. `backward` is kept only if some input requires a gradient; whatever it captured is
  /// freed when backward() has passed. `operation` is for messages.
  static Variable record(const char* operation, Tensor value, std::vector<Variable> inputs, Backward backward);

  bool defined() const { return state_ != nullptr; }
  const Tensor& value() const;
  Tensor& value();
  const Shape& shape() const { return value().shape(); }
  bool requires_gradient() const;

  /// d(loss)/d(value), same shape; empty before backward(). Kept for leaves only.
  const Tensor& gradient() const;
  Tensor& gradient();
  void clear_gradient();

 private:
  friend void backward(const Variable& loss, ThreadPool& pool);
  struct Node;
  struct State;
  std::shared_ptr<State> state_;
};

/// Computes the gradients of a scalar `loss` with respect to all leaves that require one, adding to what they hold.
/// Iterative, in reverse topological order; frees each operation once it has passed. Throws linnet::Error if the loss
/// is not a single value, depends on no such leaf, was passed before, or if an operation returns a gradient of the
/// wrong shape.
void backward(const Variable& loss, ThreadPool& pool);

}  // namespace linnet::autograd
