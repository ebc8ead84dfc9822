// The output shape of each op, and what it demands of its inputs.
#include <algorithm>
#include <string>

#include "engine/graph/op_fields.h"
#include "linnet/error.h"
#include "linnet/graph.h"

namespace linnet {

const char* op_name(const Op& op) {
  return std::visit([]<class T>(const T&) { return OpFields<T>::name; }, op);
}

namespace {

class ShapeRules {
 public:
  ShapeRules(const std::string& node, const char* op, const std::vector<Shape>& inputs)
      : node_(node), op_(op), inputs_(inputs) {}

  Shape operator()(const op::Input& input) const {
    expect_inputs(0);
    return {input.height, input.width, input.channels};
  }

  Shape operator()(const op::Conv2d& conv) const {
    expect_inputs(conv.residual ? 2 : 1);
    expect_image(0);
    const Index channels = inputs_[0][2];
    if (conv.groups < 1 || channels % conv.groups != 0 || conv.out_channels % conv.groups != 0) {
      fail("input and output channels that are multiples of " + std::to_string(conv.groups) + " groups",
           std::to_string(channels) + " and " + std::to_string(conv.out_channels) + " channels");
    }
    const double weights =
        double(conv.out_channels) * double(channels / conv.groups) * double(conv.kernel) * double(conv.kernel);
    if (weights > double(limit::elements)) fail("fewer than 2^31 weights", std::to_string(weights) + " weights");
    const Shape output = window(conv.padding, conv.kernel, conv.stride, conv.dilation, false, conv.out_channels);
    if (conv.residual && inputs_[1] != output) {
      fail("a residual input of shape " + to_string(output), to_string(inputs_[1]));
    }
    return output;
  }

  Shape operator()(const op::BatchNorm&) const { return unchanged(); }
  Shape operator()(const op::Activate&) const { return unchanged(); }
  Shape operator()(const op::Dropout&) const { return unchanged(); }
  Shape operator()(const op::DropPath&) const { return unchanged(); }

  Shape operator()(const op::Add&) const {
    expect_inputs(2);
    if (inputs_[0] != inputs_[1]) {
      fail("two inputs of one shape", to_string(inputs_[0]) + " and " + to_string(inputs_[1]));
    }
    return inputs_[0];
  }

  Shape operator()(const op::ScaleChannels&) const {
    expect_inputs(2);
    expect_image(0);
    const Shape gate{1, 1, inputs_[0][2]};
    if (inputs_[1] != gate) fail("a gate of shape " + to_string(gate), to_string(inputs_[1]));
    return inputs_[0];
  }

  Shape operator()(const op::GlobalAveragePool&) const {
    expect_inputs(1);
    expect_image(0);
    return {1, 1, inputs_[0][2]};
  }

  Shape operator()(const op::MaxPool& pool) const { return pooled(pool); }
  Shape operator()(const op::AveragePool& pool) const { return pooled(pool); }

  Shape operator()(const op::Flatten&) const {
    expect_inputs(1);
    return {element_count(inputs_[0])};
  }

  Shape operator()(const op::Linear& linear) const {
    expect_inputs(1);
    expect_features();
    const double weights = double(linear.out_features) * double(inputs_[0][0]);
    if (linear.out_features < 1) fail("at least one output", std::to_string(linear.out_features));
    if (weights > double(limit::elements)) fail("fewer than 2^31 weights", std::to_string(weights) + " weights");
    return {linear.out_features};
  }

  Shape operator()(const op::ChannelShuffle& shuffle) const {
    expect_inputs(1);
    expect_image(0);
    if (shuffle.groups < 1 || inputs_[0][2] % shuffle.groups != 0) {
      fail("channels that are a multiple of " + std::to_string(shuffle.groups) + " groups", to_string(inputs_[0]));
    }
    return inputs_[0];
  }

  Shape operator()(const op::Concat&) const {
    if (inputs_.empty()) fail("at least one input", "none");
    Shape output = inputs_[0];
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      expect_image(i);
      if (inputs_[i][0] != output[0] || inputs_[i][1] != output[1]) {
        fail("inputs of one height and width", to_string(inputs_[0]) + " and " + to_string(inputs_[i]));
      }
      if (i > 0) output[2] += inputs_[i][2];
      if (output[2] > limit::channels) fail("at most 2^24 channels", to_string(output));
    }
    return output;
  }

  Shape operator()(const op::SliceChannels& slice) const {
    expect_inputs(1);
    expect_image(0);
    if (slice.begin < 0 || slice.begin >= slice.end || slice.end > inputs_[0][2]) {
      fail("a range of channels within the input " + to_string(inputs_[0]), to_string(Shape{slice.begin, slice.end}));
    }
    return {inputs_[0][0], inputs_[0][1], slice.end - slice.begin};
  }

  Shape operator()(const op::ZeroPad& pad) const {
    expect_inputs(1);
    expect_image(0);
    const Shape& input = inputs_[0];
    const Shape output{pad.top + input[0] + pad.bottom, pad.left + input[1] + pad.right, input[2]};
    const Index least = std::min(
        {output[0], output[1], pad.top + input[0], pad.left + input[1], input[0] + pad.bottom, input[1] + pad.right});
    if (least < 1) {
      fail("an input that is larger than what is cut off", to_string(input));
    }
    return output;
  }

  Shape operator()(const op::BlurPool& blur) const {
    expect_inputs(1);
    expect_image(0);
    return window(blur.padding, blur.kernel, blur.stride, 1, false, inputs_[0][2]);
  }

  Shape operator()(const op::LayerScale&) const {
    expect_inputs(1);
    expect_image(0);
    return inputs_[0];
  }

  Shape operator()(const op::MultiQueryAttention& attention) const {
    expect_inputs(3);
    for (std::size_t i = 0; i < 3; ++i) expect_image(i);
    const Index width = inputs_[0][2];
    if (attention.heads < 1 || width % attention.heads != 0) {
      fail("query channels that are a multiple of " + std::to_string(attention.heads) + " heads",
           to_string(inputs_[0]));
    }
    if (inputs_[1] != inputs_[2] || inputs_[1][2] != width / attention.heads) {
      fail("a key and a value of one shape with " + std::to_string(width / attention.heads) + " channels",
           to_string(inputs_[1]) + " and " + to_string(inputs_[2]));
    }
    const double scores = double(inputs_[0][0]) * double(inputs_[0][1]) * double(attention.heads) *
                          double(inputs_[1][0]) * double(inputs_[1][1]);
    if (scores > double(limit::elements)) fail("fewer than 2^31 scores", std::to_string(scores) + " scores");
    return inputs_[0];
  }

  Shape operator()(const op::Softmax&) const {
    expect_inputs(1);
    expect_features();
    return inputs_[0];
  }

  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    throw Error(std::string(op_) + " \"" + node_ + "\": expected " + expected + ", found " + found);
  }

 private:
  void expect_inputs(std::size_t count) const {
    if (inputs_.size() != count) fail(std::to_string(count) + " inputs", std::to_string(inputs_.size()));
  }

  void expect_image(std::size_t index) const {
    if (inputs_[index].size() != 3) {
      fail("input " + std::to_string(index) + " of shape [height, width, channels]", to_string(inputs_[index]));
    }
  }

  void expect_features() const {
    if (inputs_[0].size() != 1) fail("an input of shape [features]", to_string(inputs_[0]));
  }

  Shape unchanged() const {
    expect_inputs(1);
    return inputs_[0];
  }

  Shape pooled(const auto& pool) const {
    expect_inputs(1);
    expect_image(0);
    // As in PyTorch; it keeps every window in touch with the input.
    if (pool.padding.rule == Padding::Rule::symmetric && pool.padding.amount > pool.kernel / 2) {
      fail("padding of at most half the kernel " + std::to_string(pool.kernel), std::to_string(pool.padding.amount));
    }
    return window(pool.padding, pool.kernel, pool.stride, 1, pool.ceil_mode, inputs_[0][2]);
  }

  Shape window(const Padding& padding, Index kernel, Index stride, Index dilation, bool ceil_mode,
               Index channels) const {
    if (kernel < 1 || stride < 1 || dilation < 1 || padding.amount < 0 || channels < 1) {
      fail("a positive kernel, stride, dilation and channel count and a padding of at least 0",
           to_string(Shape{kernel, stride, dilation, channels, padding.amount}));
    }
    Shape output{0, 0, channels};
    for (std::size_t axis = 0; axis < 2; ++axis) {
      output[axis] = window_outputs(padding, inputs_[0][axis], kernel, stride, dilation, ceil_mode);
      if (output[axis] < 1) {
        fail("an input that holds a window of " + std::to_string((kernel - 1) * dilation + 1) + " with padding " +
                 std::to_string(padding.amount),
             to_string(inputs_[0]) + ", which is too small");
      }
    }
    return output;
  }

  const std::string& node_;
  const char* op_;
  const std::vector<Shape>& inputs_;
};

}  // namespace

Shape infer_shape(const std::string& node_name, const Op& op, const std::vector<Shape>& inputs) {
  const ShapeRules rules(node_name, op_name(op), inputs);
  Shape shape = std::visit(rules, op);
  double elements = 1;
  for (const Index extent : shape) {
    if (extent < 1) rules.fail("positive extents", to_string(shape));
    elements *= double(extent);
  }
  if (elements > double(limit::elements)) rules.fail("an output of fewer than 2^31 values", to_string(shape));
  return shape;
}

}  // namespace linnet
