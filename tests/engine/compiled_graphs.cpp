#include "compiled_graphs.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <span>

#include "linnet/session.h"
#include "sketch.h"

namespace linnet::test {
namespace {

using Random = std::mt19937_64;

float uniform(Random& random, float low, float high) {
  return low + (high - low) * static_cast<float>(random() >> 40) * 0x1p-24f;
}

Graph inverted_residuals() {
  Sketch s("inverted_residuals", 17, 13, 3);
  int x = s.activate(s.norm(s.conv(0, 8, 3, 2)), Activation::relu6);
  for (int block = 0; block < 2; ++block) {
    const int shortcut = x;
    x = s.activate(s.norm(s.conv(x, 24)), Activation::hard_swish);
    x = s.activate(s.norm(s.depthwise(x, 5)), Activation::hard_swish);
    int gate = s.add(op::GlobalAveragePool{}, {x});
    gate = s.activate(s.conv(gate, 6, 1, 1, 1, true), Activation::relu);
    gate = s.activate(s.conv(gate, 24, 1, 1, 1, true), Activation::hard_sigmoid);
    x = s.add(op::ScaleChannels{}, {x, gate});
    x = s.sum(s.add(op::DropPath{.rate = 0.2f}, {s.norm(s.conv(x, 8))}), shortcut);
  }
  s.classify(s.add(op::Dropout{.rate = 0.5f}, {x}), 5);
  return std::move(s).finish();
}

/// A gated map that is added to a convolution's output, not convolved; a depthwise convolution whose output is added.
Graph gated_residuals() {
  Sketch s("gated_residuals", 11, 9, 3);
  const int x = s.activate(s.conv(0, 8, 3), Activation::relu);
  const int map = s.activate(s.depthwise(x), Activation::relu);
  int gate = s.add(op::GlobalAveragePool{}, {map});
  gate = s.activate(s.conv(gate, 3, 1, 1, 1, true), Activation::relu);
  gate = s.activate(s.conv(gate, 8, 1, 1, 1, true), Activation::sigmoid);
  const int sum = s.sum(s.conv(x, 8), s.add(op::ScaleChannels{}, {map, gate}));
  s.classify(s.sum(s.conv(sum, 8), s.depthwise(sum, 5)), 5);
  return std::move(s).finish();
}

Graph shuffle_units() {
  Sketch s("shuffle_units", 12, 15, 3);
  int x = s.activate(s.norm(s.conv(0, 12, 3, 2)), Activation::relu);
  x = s.add(op::MaxPool{.kernel = 3, .stride = 2, .padding = {.amount = 1}}, {x});
  int branch = s.activate(s.norm(s.conv(x, 6, 1, 1, 3)), Activation::relu);
  branch = s.norm(s.depthwise(s.add(op::ChannelShuffle{3}, {branch})));
  x = s.activate(s.sum(x, s.norm(s.conv(branch, 12, 1, 1, 3))), Activation::relu);
  const int left = s.add(op::SliceChannels{0, 5}, {x});
  int right = s.add(op::SliceChannels{5, 12}, {x});
  right = s.activate(s.norm(s.conv(right, 7)), Activation::relu);
  x = s.add(op::ChannelShuffle{2}, {s.add(op::Concat{}, {left, right})});
  s.add(op::Softmax{}, {s.classify(x, 7)});
  return std::move(s).finish();
}

/// The end of a ShuffleNetV2 unit with two maps and with a slice; branches of a SqueezeNet unit, one of them grouped.
Graph joined_branches() {
  Sketch s("joined_branches", 10, 9, 3);
  int x = s.activate(s.norm(s.conv(0, 12, 3)), Activation::relu);
  const auto half = [&](int from, Index begin) { return s.add(op::SliceChannels{begin, begin + 6}, {from}); };
  const int right = s.activate(s.norm(s.conv(half(x, 6), 6)), Activation::relu);
  x = s.add(op::ChannelShuffle{2}, {s.add(op::Concat{}, {half(x, 0), right})});
  const int left = s.activate(s.depthwise(x, 3, 2), Activation::relu);
  x = s.add(op::ChannelShuffle{2}, {s.add(op::Concat{}, {left, s.activate(s.conv(x, 12, 3, 2), Activation::relu)})});
  x = s.conv(x, 6);
  const int wide = s.activate(s.conv(x, 8, 3, 1, 1, true), Activation::relu);
  x = s.add(op::Concat{}, {s.activate(s.conv(x, 5, 1, 1, 1, true), Activation::relu), wide, s.conv(x, 8, 3, 1, 2)});
  s.classify(x, 5);
  return std::move(s).finish();
}

/// A map that each reader activates for itself, and parts that are activated when they have been joined.
Graph activated_apart() {
  Sketch s("activated_apart", 8, 7, 3);
  int x = s.norm(s.conv(0, 12, 3));
  const auto active = [&](int from) { return s.activate(from, Activation::relu); };
  const int left = s.norm(s.conv(active(x), 8)), right = s.norm(s.depthwise(active(x)));
  x = s.add(op::Concat{}, {left, s.norm(s.conv(active(x), 5, 3)), right});
  s.classify(s.conv(active(x), 6), 5);
  return std::move(s).finish();
}

Graph attention_block() {
  Sketch s("attention_block", 9, 7, 6);
  int x = s.activate(s.norm(s.conv(0, 8, 3)), Activation::relu);
  x = s.add(op::BlurPool{}, {x});
  const int normed = s.norm(x);
  const int query = s.conv(normed, 12), key = s.conv(s.norm(s.depthwise(normed, 3, 2)), 4),
            value = s.conv(normed, 4, 1, 2);
  const int mixed = s.conv(s.add(op::MultiQueryAttention{3}, {query, key, value}), 8);
  x = s.sum(s.add(op::LayerScale{}, {mixed}), x);
  x = s.sum(s.add(op::LayerScale{}, {s.norm(s.conv(s.activate(s.norm(s.conv(x, 16)), Activation::gelu), 8))}), x);
  x = s.add(op::LayerScale{}, {s.add(op::ZeroPad{.top = -1, .left = -1, .bottom = 1, .right = 2}, {x})});
  s.classify(x, 5);
  return std::move(s).finish();
}

Graph batch_norms_alone() {
  Sketch s("batch_norms_alone", 9, 9, 4);
  const int first = s.norm(0);
  const int conv = s.conv(first, 6, 3);
  const int normed = s.activate(s.norm(conv), Activation::relu);
  const int sum = s.norm(s.sum(conv, normed));
  const int joined = s.add(op::Concat{}, {s.activate(sum, Activation::silu), conv});
  const int second = s.norm(s.activate(s.norm(joined), Activation::gelu));
  s.norm(s.add(op::Linear{.out_features = 5, .bias = false}, {s.add(op::Flatten{}, {second})}));
  return std::move(s).finish();
}

Graph pools() {
  Sketch s("pools", 15, 10, 5);
  const auto same = Padding{.rule = Padding::Rule::same};
  const int ceil = s.add(op::MaxPool{.kernel = 3, .stride = 2, .ceil_mode = true}, {0});
  const int counted =
      s.add(op::AveragePool{.kernel = 3, .stride = 1, .padding = {.amount = 1}, .count_padding = true}, {ceil});
  const int uncounted = s.add(op::AveragePool{.kernel = 3, .stride = 1, .padding = same}, {ceil});
  const int largest = s.add(op::MaxPool{.kernel = 3, .stride = 1, .padding = same}, {ceil});
  const int joined = s.add(op::Concat{}, {counted, uncounted, ceil, largest});
  s.add(op::AveragePool{.kernel = 2, .stride = 2, .ceil_mode = true}, {joined});
  return std::move(s).finish();
}

Graph residuals() {
  Sketch s("residuals", 8, 8, 4);
  int x = s.conv(0, 8, 3, 1, 1, true);
  x = s.activate(s.sum(s.conv(x, 8, 3), x), Activation::relu);              // dense, then an activation
  x = s.activate(s.sum(x, s.conv(x, 8, 1, 1, 2, true)), Activation::silu);  // grouped
  x = s.sum(s.depthwise(x), x);                                             // depthwise
  x = s.sum(s.norm(s.conv(x, 8)), s.norm(s.conv(x, 8, 3)));                 // two candidates
  const int early = s.conv(x, 8);
  const int late = s.activate(s.conv(x, 8, 3), Activation::relu6);
  x = s.sum(early, late);  // the convolution comes before the other summand
  const int both = s.conv(x, 8);
  x = s.sum(both, s.activate(both, Activation::relu));  // read twice: no fusion
  x = s.sum(x, x);
  x = s.sum(s.norm(s.sum(x, both)), s.conv(x, 8, 1, 1, 1));
  s.activate(s.sum(x, s.norm(s.depthwise(x, 1))), Activation::sigmoid);
  return std::move(s).finish();
}

/// Maps and channels for which a dense 3x3 convolution has tiles.
Graph wide_dense() {
  Sketch s("wide_dense", 15, 18, 9);
  int x = s.activate(s.norm(s.conv(0, 20, 3)), Activation::hard_swish);
  const int unpadded = s.add(op::Conv2d{.out_channels = 33, .kernel = 3, .bias = true}, {x});
  const int wide = s.activate(s.norm(s.conv(unpadded, 40, 3)), Activation::relu);
  x = s.activate(s.sum(s.conv(wide, 33, 3, 1, 1, true), unpadded), Activation::silu);
  s.classify(x, 5);
  return std::move(s).finish();
}

/// The input is read by several nodes, late too, and ops that might write over it must not.
Graph input_used_often() {
  Sketch s("input_used_often", 6, 7, 4);
  const int a = s.activate(0, Activation::relu);
  const int b = s.sum(0, a);
  const int c = s.norm(0);
  const int d = s.sum(s.conv(b, 4), 0);
  s.sum(s.sum(c, d), s.activate(0, Activation::hard_swish));
  return std::move(s).finish();
}

Graph only_input() {
  Sketch s("only_input", 2, 3, 4);
  s.add(op::Dropout{.rate = 0.5f}, {s.add(op::Flatten{}, {0})});
  return std::move(s).finish();
}

}  // namespace

Graph fused_before() {
  Sketch s("fused_before", 7, 6, 4);
  op::Conv2d conv{.out_channels = 4, .bias = true, .activation = Activation::relu6};
  const int a = s.norm(s.add(conv, {0}));
  const int b = s.activate(s.add(conv, {a}), Activation::hard_swish);
  const int c = s.sum(s.add(conv, {b}), a);
  conv.residual = true;
  conv.activation = Activation::none;
  const int d = s.norm(s.add(conv, {c, a}));
  const int e = s.sum(s.add(conv, {d, 0}), b);
  const int f = s.activate(s.add(op::Add{Activation::relu}, {e, a}), Activation::hard_sigmoid);
  const int g = s.add(op::Flatten{}, {s.add(op::GlobalAveragePool{}, {f})});
  const int h = s.norm(s.add(op::Linear{.out_features = 5, .activation = Activation::relu}, {g}));
  s.activate(s.add(op::Linear{.out_features = 5, .activation = Activation::relu}, {h}), Activation::sigmoid);
  return std::move(s).finish();
}

Graph large_maps() {
  Sketch s("large_maps", 69, 67, 3);
  int x = s.activate(s.depthwise(s.activate(s.norm(s.conv(0, 32, 3)), Activation::relu6)), Activation::relu6);
  x = s.conv(x, 8);
  for (const bool has_gate : {false, true}) {
    int y = s.activate(s.conv(x, 32), Activation::relu);
    y = s.activate(s.norm(s.depthwise(y, 3 + 2 * has_gate)), Activation::relu);
    if (has_gate) {
      const int squeezed = s.activate(s.conv(s.add(op::GlobalAveragePool{}, {y}), 4, 1, 1, 1, true), Activation::relu);
      y = s.add(op::ScaleChannels{}, {y, s.activate(s.conv(squeezed, 32, 1, 1, 1, true), Activation::sigmoid)});
    }
    x = s.sum(x, s.conv(y, 8));
  }
  const int second = s.add(op::MaxPool{}, {s.depthwise(s.conv(0, 32, 3))});
  s.classify(s.add(op::Concat{}, {s.add(op::MaxPool{}, {x}), second}), 5);
  return std::move(s).finish();
}

std::vector<Graph> handmade_graphs() {
  return {inverted_residuals(), gated_residuals(),  shuffle_units(),     joined_branches(),
          activated_apart(),    attention_block(),  batch_norms_alone(), pools(),
          residuals(),          input_used_often(), only_input(),        wide_dense()};
}

Model random_model(Graph graph, std::uint64_t seed) {
  Random random(seed);
  Model model;
  for (const Parameter& parameter : parameters(graph)) {
    Tensor tensor(parameter.shape);
    float low = -0.3f, high = 0.3f;
    if (parameter.role == ParameterRole::gamma || parameter.role == ParameterRole::layer_scale ||
        parameter.role == ParameterRole::running_var)
      low = 0.5f, high = 1.5f;
    if (parameter.role == ParameterRole::weight) {
      high = 1.7f / std::sqrt(static_cast<float>(tensor.size() / tensor.dimension(0)));
      low = -high;
    }
    if (parameter.role == ParameterRole::counter) low = high = 0;
    for (Index i = 0; i < tensor.size(); ++i) tensor.data()[i] = uniform(random, low, high);
    model.weights[parameter.name] = tensor;
  }
  model.graph = std::move(graph);
  return model;
}

std::vector<float> random_values(Index size, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = uniform(random, -1, 1);
  return values;
}

std::vector<float> random_input(const Model& model, Index batch, std::uint64_t seed) {
  return random_values(batch * element_count(model.graph.input().shape), seed);
}

namespace {

std::size_t values_of(const Shape& shape) { return static_cast<std::size_t>(element_count(shape)); }

}  // namespace

std::vector<float> run_plan(const Model& model, const CompileOptions& options, const std::vector<float>& input) {
  const auto plan = compile(model, options);
  Session session(plan, options.threads);
  std::vector<std::span<float>> outputs;
  std::size_t size = 0;
  for (std::size_t i = 0; i < plan->output_count(); ++i) size += values_of(plan->output_shape(i));
  std::vector<float> values(size, NAN);
  for (std::size_t i = 0, begin = 0; i < plan->output_count(); begin += outputs[i].size(), ++i) {
    outputs.push_back(std::span(values).subspan(begin, values_of(plan->output_shape(i))));
  }
  session.run(input, outputs);
  return values;
}

double relative_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(double(a[i]) - double(b[i]));
    if (!(d <= difference)) difference = d;  // NaN stays
    largest = std::max(largest, std::abs(double(b[i])));
  }
  return difference / largest;
}

}  // namespace linnet::test
