#include "engine/autograd/checks.h"

namespace linnet::autograd {

Shape batch_output_shape(const Op& op, const std::vector<Variable>& inputs) {
  std::vector<Shape> samples;
  for (const Variable& input : inputs) {
    if (input.shape().empty() || input.shape()[0] != inputs[0].shape()[0])
      throw Error(std::string(op_name(op)) + ": expected inputs of one batch size, found " +
                  to_string(inputs[0].shape()) + " and " + to_string(input.shape()));
    samples.push_back(sample_shape(input));
  }
  Shape shape = infer_shape(op_name(op), op, samples);
  shape.insert(shape.begin(), inputs[0].shape()[0]);
  return shape;
}

}  // namespace linnet::autograd
