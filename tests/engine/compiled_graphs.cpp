#include "compiled_graphs.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "linnet/session.h"

namespace linnet::test {
namespace {

using Random = std::mt19937_64;

float uniform(Random& random, float low, float high) {
  return low + (high - low) * static_cast<float>(random() >> 40) * 0x1p-24f;
}

Index below(Random& random, Index limit) { return static_cast<Index>(random() % static_cast<std::uint64_t>(limit)); }

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

std::vector<Graph> handmade_graphs() {
  return {inverted_residuals(), gated_residuals(),  shuffle_units(), attention_block(), batch_norms_alone(), pools(),
          residuals(),          input_used_often(), only_input(),    wide_dense()};
}

Graph random_graph(std::uint64_t seed) {
  Random random(seed);
  const auto activation = [&] { return static_cast<Activation>(1 + below(random, 7)); };
  Sketch s("random_" + std::to_string(seed), 5 + below(random, 4), 5 + below(random, 4), 4);
  std::vector<int> nodes{0};
  for (int i = 0; i < 25; ++i) {
    const auto pick = [&] {
      // Recent nodes more often, so that chains form.
      const Index back = std::min(below(random, static_cast<Index>(nodes.size())), below(random, 6));
      return nodes[nodes.size() - 1 - static_cast<std::size_t>(back)];
    };
    const int x = pick();
    const Index c = s.channels(x);
    switch (below(random, 11)) {
      case 0:
        nodes.push_back(s.conv(x, 4 * (1 + below(random, 3)), 1, 1, 1, below(random, 2) == 0));
        break;
      case 1:
        nodes.push_back(s.conv(x, 4 * (1 + below(random, 3)), 3, 1, 1, below(random, 2) == 0));
        break;
      case 2:
        nodes.push_back(s.conv(x, 8, 1 + 2 * below(random, 2), 1, 2));
        break;
      case 3:
        nodes.push_back(s.depthwise(x, 1 + 2 * below(random, 3)));
        break;
      case 4:
      case 5:
        nodes.push_back(s.norm(x));
        break;
      case 6:
        nodes.push_back(s.activate(x, activation()));
        break;
      case 7:
      case 8: {
        const int y = pick();
        nodes.push_back(s.channels(y) == c ? s.sum(x, y) : s.add(op::Concat{}, {x, y, x}));
        break;
      }
      case 9:
        nodes.push_back(s.add(op::ScaleChannels{}, {x, s.add(op::GlobalAveragePool{}, {x})}));
        break;
      default:
        nodes.push_back(s.add(op::SliceChannels{c / 8 * 4, c}, {x}));
        break;
    }
    if (s.channels(nodes.back()) > 24) nodes.push_back(s.conv(nodes.back(), 8));
  }
  s.classify(nodes.back(), 6);
  return std::move(s).finish();
}

namespace {

/// Draws the units of a random network.
class NetworkSketch {
 public:
  explicit NetworkSketch(std::uint64_t seed)
      : random_(seed), s_("network_" + std::to_string(seed), 12 + pick(79), 12 + pick(79), 1 + pick(4)) {}

  Graph finish() && {
    int x = normed(s_.conv(0, 8 + 4 * pick(5), 3, 1 + pick(2)));
    const Index units = 2 + pick(4);
    for (Index unit = 0; unit < units; ++unit) x = add_unit(x);
    s_.classify(x, 5);
    return std::move(s_).finish();
  }

 private:
  Index pick(Index limit) { return below(random_, limit); }
  Activation activation() { return static_cast<Activation>(pick(8)); }
  int normed(int x) {
    x = s_.norm(x);
    const Activation chosen = activation();
    return chosen == Activation::none ? x : s_.activate(x, chosen);
  }

  int add_unit(int x) {
    switch (pick(7)) {
      case 0:
        return shuffle_unit(x);
      case 1:
        return s_.add(op::MaxPool{.kernel = 3, .stride = 1 + pick(2), .padding = {.amount = 1}}, {x});
      case 2:
        return s_.add(op::Concat{}, {normed(s_.conv(x, 6 + pick(9))), normed(s_.conv(x, 5 + pick(9), 3))});
      case 3:
        return normed(s_.conv(x, s_.channels(x) + pick(5), 3, 1 + pick(2)));
      default:
        return inverted_residual(x);
    }
  }

  int inverted_residual(int x) {
    const Index stride = 1 + pick(2), kernel = 3 + 2 * pick(3), out = pick(2) == 0 ? s_.channels(x) : 5 + pick(20);
    int y = x;
    if (pick(4) != 0) y = normed(s_.conv(y, s_.channels(x) * (1 + pick(4)) + pick(3)));
    op::Conv2d filter{.out_channels = s_.channels(y), .kernel = kernel, .stride = stride, .groups = s_.channels(y)};
    filter.padding = pick(2) == 0 ? Padding{.amount = kernel / 2} : Padding{.rule = Padding::Rule::same};
    y = normed(s_.add(filter, {y}));
    if (pick(2) == 0) {
      int gate = s_.add(op::GlobalAveragePool{}, {y});
      gate = s_.activate(s_.conv(gate, 1 + pick(6), 1, 1, 1, true), activation());
      gate = s_.activate(s_.conv(gate, s_.channels(y), 1, 1, 1, true), Activation::sigmoid);
      y = s_.add(op::ScaleChannels{}, {y, gate});
    }
    if (pick(5) == 0) return y;
    y = s_.norm(s_.conv(y, out));
    return stride == 1 && out == s_.channels(x) && pick(3) != 0 ? s_.sum(y, x) : y;
  }

  int shuffle_unit(int x) {
    if (s_.channels(x) % 2 != 0) x = normed(s_.conv(x, s_.channels(x) + 1));
    const Index half = s_.channels(x) / 2;
    const int left = s_.add(op::SliceChannels{0, half}, {x});
    int right = s_.add(op::SliceChannels{half, 2 * half}, {x});
    right = s_.norm(s_.depthwise(normed(s_.conv(right, half))));
    return s_.add(op::ChannelShuffle{2}, {s_.add(op::Concat{}, {left, normed(s_.conv(right, half))})});
  }

  Random random_;
  Sketch s_;
};

}  // namespace

Graph random_network(std::uint64_t seed) { return NetworkSketch(seed).finish(); }

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

std::vector<float> run_plan(const Model& model, const CompileOptions& options, const std::vector<float>& input) {
  const auto plan = compile(model, options);
  Session session(plan, options.threads);
  std::vector<float> output(static_cast<std::size_t>(element_count(plan->output_shape())), NAN);
  session.run(input, output);
  return output;
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
