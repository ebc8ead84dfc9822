#include <algorithm>
#include <random>

#include "compiled_graphs.h"
#include "sketch.h"

namespace linnet::test {
namespace {

using Random = std::mt19937_64;

Index below(Random& random, Index limit) { return static_cast<Index>(random() % static_cast<std::uint64_t>(limit)); }

}  // namespace

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
  /// One in sixteen has large maps: these cost as much as all the others.
  explicit NetworkSketch(std::uint64_t seed)
      : random_(seed),
        extent_(pick(16) == 0 ? 79 : 20),
        s_("network_" + std::to_string(seed), 12 + pick(extent_), 12 + pick(extent_), 1 + pick(4)) {}

  Graph finish() && {
    int x = normed(s_.conv(0, 8 + 4 * pick(5), 3, 1 + pick(2)));
    const Index units = 2 + pick(4);
    std::vector<int> outputs;
    for (Index unit = 0; unit < units; ++unit) {
      x = add_unit(x);
      if (pick(8) == 0) outputs.push_back(x);
    }
    if (pick(3) == 0) x = s_.add(op::Dropout{.rate = 0.2f}, {x});
    outputs.push_back(s_.classify(x, 5));
    if (pick(4) == 0) outputs.back() = s_.add(op::Softmax{}, {outputs.back()});
    Graph graph = std::move(s_).finish();
    if (outputs.size() > 1) graph.outputs = outputs;
    return graph;
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
    switch (pick(13)) {
      case 0:
        return shuffle_unit(x);
      case 1:
        return pool(x);
      case 2:
        return s_.add(op::Concat{}, {normed(s_.conv(x, 6 + pick(9))), normed(s_.conv(x, 5 + pick(9), 3))});
      case 3:
        return normed(s_.conv(x, s_.channels(x) + pick(5), 3, 1 + pick(2)));
      case 4:
        return grouped_unit(x);
      case 5:
        return attention_unit(x);
      case 6:
        return dilated(x);
      case 7:
        return cell(x);
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
    if (stride != 1 || out != s_.channels(x) || pick(3) == 0) return y;
    if (pick(3) == 0) y = s_.add(op::LayerScale{.initial = 0.5f}, {y});
    return s_.sum(pick(2) == 0 ? s_.add(op::DropPath{.rate = 0.1f}, {y}) : y, x);
  }

  /// As NASNet's: activations come first, and what the branches give is joined as it is.
  int cell(int x) {
    const auto active = [&] { return s_.activate(x, Activation::relu); };
    const int left = s_.norm(s_.conv(active(), 4 + pick(6))), right = s_.norm(s_.depthwise(active()));
    return s_.activate(s_.add(op::Concat{}, {s_.sum(right, x), left, right}), activation());
  }

  int pool(int x) {
    const Padding padding = pick(2) == 0 ? Padding{.amount = 1} : Padding{.rule = Padding::Rule::same};
    const Index stride = 1 + pick(2);
    switch (pick(4)) {
      case 0:
        return s_.add(op::AveragePool{.kernel = 3, .stride = stride, .padding = padding, .count_padding = pick(2) == 0},
                      {x});
      case 1:
        return s_.add(op::BlurPool{}, {x});
      case 2:  // off by one as NASNet's shortcuts are
        return s_.add(op::AveragePool{.kernel = 1, .stride = 2},
                      {s_.add(op::ZeroPad{.top = -1, .left = -1, .bottom = 1, .right = 1}, {x})});
      default:
        return s_.add(op::MaxPool{.kernel = 3, .stride = stride, .padding = padding}, {x});
    }
  }

  /// As ShuffleNetV1 has them.
  int grouped_unit(int x) {
    const Index groups = 2 + pick(3), in = groups * (2 + pick(4));
    x = normed(s_.conv(x, in));
    int y = normed(s_.conv(x, in, 1, 1, groups));
    y = s_.norm(s_.depthwise(s_.add(op::ChannelShuffle{groups}, {y})));
    return s_.activate(s_.sum(x, s_.norm(s_.conv(y, in, 1 + 2 * pick(2), 1, groups))), Activation::relu);
  }

  /// As MobileNetV4's hybrids have them; on a map of a few pixels, for it costs their number squared.
  int attention_unit(int x) {
    while (s_.shape(x)[0] * s_.shape(x)[1] > 200) x = s_.add(op::MaxPool{}, {x});
    const Index heads = 1 + pick(3), depth = 2 + pick(6);
    const int query = s_.conv(x, heads * depth), key = s_.conv(s_.norm(s_.depthwise(x, 3, 2)), depth),
              value = s_.conv(s_.norm(s_.depthwise(x, 3, 2)), depth);
    const int mixed = s_.conv(s_.add(op::MultiQueryAttention{heads}, {query, key, value}), s_.channels(x));
    return s_.sum(s_.add(op::LayerScale{.initial = 0.5f}, {mixed}), x);
  }

  int dilated(int x) {
    const bool depthwise = pick(2) == 0;
    op::Conv2d conv{.out_channels = s_.channels(x), .kernel = 3, .dilation = 2};
    if (depthwise) conv.groups = conv.out_channels;
    conv.padding.amount = 2;
    return normed(s_.add(conv, {x}));
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
  Index extent_;
  Sketch s_;
};

}  // namespace

Graph random_network(std::uint64_t seed) { return NetworkSketch(seed).finish(); }

}  // namespace linnet::test
