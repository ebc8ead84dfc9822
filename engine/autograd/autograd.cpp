#include "linnet/autograd.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "kernels/elementwise/elementwise.h"
#include "linnet/error.h"

namespace linnet::autograd {

// What the tape keeps of a value: where it came from and, for a leaf, its gradient. Not the value itself.
struct Variable::Node {
  const char* operation = nullptr;  // null for leaves
  Shape shape;
  bool requires_gradient = false;
  Tensor gradient;
  std::vector<std::shared_ptr<Node>> inputs;
  Backward backward;

  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // The default destructor would recurse as deep as the tape is long.
  ~Node() {
    std::vector<std::shared_ptr<Node>> doomed = std::move(inputs);
    while (!doomed.empty()) {
      const std::shared_ptr<Node> node = std::move(doomed.back());
      doomed.pop_back();
      if (node.use_count() != 1) continue;  // used elsewhere, or an input that is not there
      std::move(node->inputs.begin(), node->inputs.end(), std::back_inserter(doomed));
      node->inputs.clear();
    }
  }
};

struct Variable::State {
  Tensor value;
  std::shared_ptr<Node> node;
};

Variable::Variable(Tensor value, bool requires_gradient) : state_(std::make_shared<State>()) {
  state_->node = std::make_shared<Node>();
  state_->node->shape = value.shape();
  state_->node->requires_gradient = requires_gradient;
  state_->value = std::move(value);
}

Variable Variable::record(const char* operation, Tensor value, std::vector<Variable> inputs, Backward backward) {
  const bool needed =
      std::any_of(inputs.begin(), inputs.end(), [](const Variable& v) { return v.requires_gradient(); });
  Variable result(std::move(value), needed);
  Node& node = *result.state_->node;
  node.operation = operation;
  if (!needed) return result;
  node.backward = std::move(backward);
  node.inputs.reserve(inputs.size());
  for (const Variable& input : inputs) node.inputs.push_back(input.state_ ? input.state_->node : nullptr);
  return result;
}

const Tensor& Variable::value() const { return state_->value; }
Tensor& Variable::value() { return state_->value; }
bool Variable::requires_gradient() const { return state_ && state_->node->requires_gradient; }
const Tensor& Variable::gradient() const { return state_->node->gradient; }
Tensor& Variable::gradient() { return state_->node->gradient; }
void Variable::clear_gradient() { state_->node->gradient = {}; }

namespace {

// Adds into `sum` if nobody else sees its values.
void accumulate(Tensor& sum, Tensor term, ThreadPool& pool) {
  if (sum.empty()) {
    sum = std::move(term);
  } else if (!sum.is_shared()) {
    kernels::accumulate(pool, sum.size(), 1.0f, term.data(), sum.data());
  } else {
    Tensor result(sum.shape());
    kernels::add(pool, sum.size(), sum.data(), term.data(), Activation::none, result.data());
    sum = std::move(result);
  }
}

}  // namespace

void backward(const Variable& loss, ThreadPool& pool) {
  using Node = Variable::Node;
  if (!loss.defined() || loss.value().size() != 1)
    throw Error("backward: expected a loss of one value, found " +
                (loss.defined() ? to_string(loss.shape()) : std::string("nothing")));
  if (!loss.requires_gradient()) throw Error("backward: the loss depends on nothing that requires a gradient");

  // Every operation on the way, how many uses of its output have yet to hand in a gradient, and their sum so far.
  struct Progress {
    std::size_t waiting = 0;
    Tensor gradient;
  };
  std::unordered_map<const Node*, Progress> progress;
  std::vector<std::shared_ptr<Node>> stack = {loss.state_->node};
  progress[stack.back().get()];
  while (!stack.empty()) {
    const std::shared_ptr<Node> node = std::move(stack.back());
    stack.pop_back();
    if (node->operation && !node->backward)
      throw Error("backward: the gradient of '" + std::string(node->operation) + "' was already computed");
    for (const std::shared_ptr<Node>& input : node->inputs) {
      if (!input || !input->requires_gradient) continue;
      const auto [entry, is_new] = progress.try_emplace(input.get());
      ++entry->second.waiting;
      if (is_new) stack.push_back(input);
    }
  }

  progress[loss.state_->node.get()].gradient = Tensor::full(loss.shape(), 1.0f);
  stack.push_back(loss.state_->node);
  while (!stack.empty()) {
    const std::shared_ptr<Node> node = std::move(stack.back());
    stack.pop_back();
    Tensor gradient = std::move(progress[node.get()].gradient);
    if (!node->operation) {
      if (gradient.empty()) continue;
      // A leaf's gradient belongs to its user, who may change it in place.
      accumulate(node->gradient, gradient.is_shared() ? gradient.clone() : std::move(gradient), pool);
      continue;
    }

    const std::vector<std::shared_ptr<Node>> inputs = std::move(node->inputs);
    const Backward function = std::exchange(node->backward, nullptr);
    std::vector<Tensor> gradients(inputs.size());
    if (!gradient.empty()) gradients = function(std::move(gradient));
    if (gradients.size() != inputs.size())
      throw Error(std::string("backward of '") + node->operation + "': expected " + std::to_string(inputs.size()) +
                  " gradients, found " + std::to_string(gradients.size()));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::shared_ptr<Node>& input = inputs[i];
      if (!input || !input->requires_gradient) continue;
      Progress& entry = progress[input.get()];
      if (!gradients[i].empty()) {
        if (gradients[i].shape() != input->shape)
          throw Error(std::string("backward of '") + node->operation + "': expected gradient " + std::to_string(i) +
                      " of shape " + to_string(input->shape) + ", found " + to_string(gradients[i].shape()));
        accumulate(entry.gradient, std::move(gradients[i]), pool);
      }
      if (--entry.waiting == 0) stack.push_back(input);
    }
  }
}

}  // namespace linnet::autograd
