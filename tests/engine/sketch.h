// Graphs in few words.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "linnet/graph.h"

namespace linnet::test {

/// Shorter calls than GraphBuilder's, with names made up.
class Sketch {
 public:
  Sketch(std::string name, Index height, Index width, Index channels)
      : builder_(std::move(name), height, width, channels) {}

  int add(Op op, std::vector<int> inputs) {
    return builder_.add(std::string(op_name(op)) + std::to_string(count_++), op, std::move(inputs));
  }
  int conv(int x, Index out, Index kernel = 1, Index stride = 1, Index groups = 1, bool bias = false) {
    op::Conv2d op;
    op.out_channels = out;
    op.kernel = kernel;
    op.stride = stride;
    op.groups = groups;
    op.padding.amount = kernel / 2;
    op.bias = bias;
    return add(op, {x});
  }
  int depthwise(int x, Index kernel = 3, Index stride = 1) { return conv(x, channels(x), kernel, stride, channels(x)); }
  int norm(int x) { return add(op::BatchNorm{}, {x}); }
  int activate(int x, Activation activation) { return add(op::Activate{activation}, {x}); }
  int sum(int a, int b) { return add(op::Add{}, {a, b}); }
  int classify(int x, Index classes) {
    if (shape(x).size() == 3) x = add(op::Flatten{}, {add(op::GlobalAveragePool{}, {x})});
    return add(op::Linear{.out_features = classes}, {x});
  }
  const Shape& shape(int x) const { return builder_.shape(x); }
  Index channels(int x) const { return builder_.channels(x); }
  Graph finish() && { return std::move(builder_).finish(); }

 private:
  GraphBuilder builder_;
  int count_ = 0;
};

}  // namespace linnet::test
