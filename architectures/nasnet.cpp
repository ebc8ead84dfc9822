// NASNet-A (arXiv 1707.07012): cells found by search. Names as in timm (Large) and Cadene (Mobile).
#include <array>
#include <map>
#include <span>
#include <string>

#include "architectures/blocks.h"
#include "architectures/families.h"
#include "architectures/names.h"

namespace linnet::architectures {

namespace {

/// What a cell works on: the adapted outputs of the cell before (current) and of the one before that (previous), and
/// the results of its own first combinations.
enum class Source { current, previous, first, second };
constexpr auto current = Source::current;
constexpr auto previous = Source::previous;
constexpr auto first = Source::first;
constexpr auto second = Source::second;

enum class Kind { separable, average, maximum, identity };

struct Operation {
  Kind kind;
  Index kernel;
  Index stride;
  Source source;
};
constexpr Operation separable(Index kernel, Index stride, Source source) {
  return {Kind::separable, kernel, stride, source};
}
constexpr Operation average(Index stride, Source source) { return {Kind::average, 3, stride, source}; }
constexpr Operation maximum(Source source) { return {Kind::maximum, 3, 2, source}; }
constexpr Operation identity(Source source) { return {Kind::identity, 1, 1, source}; }

/// left + right
struct Combination {
  Operation left, right;
};

constexpr Combination normal_cell[] = {
    {separable(5, 1, current), separable(3, 1, previous)},
    {separable(5, 1, previous), separable(3, 1, previous)},
    {average(1, current), identity(previous)},
    {average(1, previous), average(1, previous)},
    {separable(3, 1, current), identity(current)},
};
constexpr Combination reduction_cell[] = {
    {separable(5, 2, current), separable(7, 2, previous)},
    {maximum(current), separable(7, 2, previous)},
    {average(2, current), separable(5, 2, previous)},
    {average(1, first), identity(second)},
    {separable(3, 1, first), maximum(current)},
};

struct Definition {
  const char* name;
  Index stem_channels;
  Index filters;              // of the first cells; a normal cell outputs 6 times as many
  Index cells;                // normal ones in each of the three groups
  bool skip_reduction_input;  // the cell behind a reduction looks two cells back
  bool count_padding;         // pools of stride 2 count padded zeros
  bool pads_and_crops;        // even sizes at the top and left, which comes to the rule "same"
  Padding::Rule padding;
  Index resolution;
  Published published;
};

// name, stem channels, filters, cells, skip reduction input, count padding, pads and crops, padding, resolution,
// published
constexpr Definition definitions[] = {
    {"nasnetamobile",
     32,
     44,
     4,
     false,
     false,
     true,
     Padding::Rule::symmetric,
     224,
     {74.08, "Cadene pretrained-models README"}},
    {"nasnetalarge", 96, 168, 6, true, true, false, Padding::Rule::same, 331, {82.638, "timm results-imagenet.csv"}},
};

class Builder {
 public:
  Builder(const Definition& definition, NetworkBuilder& net) : definition_(definition), net_(net) {}

  int add_normal_cell(const std::string& name, int x, int before, Index filters) {
    Cell cell = begin_cell(name, x, before, filters);
    std::vector<int> results{cell.inputs[1]};
    for (std::size_t i = 0; i < std::size(normal_cell); ++i) results.push_back(combine(cell, i, normal_cell[i]));
    return net_.add(name + ".concat", op::Concat{}, std::move(results));
  }

  int add_reduction_cell(const std::string& name, int x, int before, Index filters) {
    Cell cell = begin_cell(name, x, before, filters);
    if (definition_.pads_and_crops && before >= 0) {
      cell.margin = {.top = 1 - net_.shape(x)[0] % 2, .left = 1 - net_.shape(x)[1] % 2};
    }
    std::array<int, 5> results{};
    for (std::size_t i = 0; i < results.size(); ++i) {
      results[i] = combine(cell, i, reduction_cell[i]);
      if (i < 2) cell.inputs[2 + i] = results[i];
    }
    return net_.add(name + ".concat", op::Concat{}, {results[1], results[2], results[3], results[4]});
  }

 private:
  struct Cell {
    std::string name;
    Index filters;
    std::array<int, 4> inputs;                     // by Source
    std::array<int, 4> rectified{-1, -1, -1, -1};  // of the inputs, once it is there
    op::ZeroPad margin = {};                       // of what is padded and cropped; on odd sizes symmetric padding does
    std::map<int, int> padded = {};                // by node
  };

  int relu(const std::string& name, int x) { return net_.activate(name, x, Activation::relu); }

  /// With the cell's margin. One node however often it is asked for.
  int pad(Cell& cell, int x) {
    if (cell.margin == op::ZeroPad{}) return x;
    const auto [place, is_new] = cell.padded.try_emplace(x);
    if (is_new) {
      const std::string name = cell.name + ".pad_" + std::to_string(cell.padded.size());
      place->second = net_.add(name, cell.margin, {x});
    }
    return place->second;
  }

  int crop(const Cell& cell, const std::string& name, int x) {
    if (cell.margin == op::ZeroPad{}) return x;
    return net_.add(name + ".crop", op::ZeroPad{.top = -cell.margin.top, .left = -cell.margin.left}, {x});
  }

  /// As in timm, what the cell before gave is a feature map once it is rectified. Both inputs get the cell's filters.
  /// The one from further back may be larger, too: reduced, then. The cells of the stem that have nothing behind them
  /// take what they have.
  Cell begin_cell(const std::string& name, int x, int before, Index filters) {
    net_.next_block();
    Cell cell{.name = name, .filters = filters, .inputs = {}};
    const bool same_size =
        before >= 0 && net_.shape(before)[0] == net_.shape(x)[0] && net_.shape(before)[1] == net_.shape(x)[1];
    const auto adapt = [&](const std::string& part, int from) {
      const std::string prefix = name + "." + part;
      const int rectified = relu(prefix + ".relu", from);
      if (from == x && before >= 0) net_.feature(rectified);
      return net_.conv_bn({prefix + ".conv", prefix + ".bn"}, rectified, {.out_channels = filters}, Activation::none);
    };
    if (same_size) cell.inputs[1] = adapt("conv_prev_1x1", before);
    cell.inputs[0] = adapt("conv_1x1", x);
    if (before < 0) cell.inputs[1] = x;
    if (before >= 0 && !same_size) cell.inputs[1] = reduce(name, before, filters);
    return cell;
  }

  /// Half of the filters from the even pixels, half from the odd ones.
  int reduce(const std::string& name, int x, Index filters) {
    const auto halve = [&](const std::string& part, int from) {
      return net_.add(name + "." + part + ".conv",
                      op::Conv2d{.out_channels = filters / 2, .kernel = 1, .stride = 2, .initial = net_.initial().conv},
                      {from});
    };
    const int rectified = relu(name + ".path", x);
    const int even = halve("path_1", rectified);
    const int odd = halve("path_2", net_.add(name + ".path_2.shift",
                                             op::ZeroPad{.top = -1, .left = -1, .bottom = 1, .right = 1}, {rectified}));
    return net_.batch_norm(name + ".final_path_bn", net_.add(name + ".paths", op::Concat{}, {even, odd}));
  }

  int combine(Cell& cell, std::size_t index, const Combination& combination) {
    const std::string name = cell.name + ".comb_iter_" + std::to_string(index);
    const int left = apply(cell, name + "_left", combination.left);
    const bool twice = combination.left.kind == combination.right.kind && combination.left.kind == Kind::average &&
                       combination.left.source == combination.right.source;
    const int right = twice ? left : apply(cell, name + "_right", combination.right);
    return net_.add(name + ".add", op::Add{}, {left, right});
  }

  int apply(Cell& cell, const std::string& name, const Operation& operation) {
    const auto source = static_cast<std::size_t>(operation.source);
    const int x = cell.inputs[source];
    switch (operation.kind) {
      case Kind::identity:
        return x;
      case Kind::separable:
        if (cell.rectified[source] < 0) {
          cell.rectified[source] = relu(cell.name + ".input_" + std::to_string(source), x);
        }
        return net_.drop_path(name, add_separable(cell, name, cell.rectified[source], operation));
      case Kind::average:
      case Kind::maximum:
        return net_.drop_path(name, operation.stride == 1 ? add_pool(name, x, operation)
                                                          : crop(cell, name, add_pool(name, pad(cell, x), operation)));
    }
    return x;
  }

  int add_pool(const std::string& name, int x, const Operation& operation) {
    const Padding padding = net_.padding(3, operation.stride);
    if (operation.kind == Kind::maximum) {
      return net_.add(name, op::MaxPool{.kernel = 3, .stride = operation.stride, .padding = padding}, {x});
    }
    const bool count_padding = operation.stride > 1 && definition_.count_padding;
    return net_.add(
        name,
        op::AveragePool{.kernel = 3, .stride = operation.stride, .padding = padding, .count_padding = count_padding},
        {x});
  }

  /// depthwise, pointwise, bn, relu and the same again; the stride is the first one's.
  int add_separable(Cell& cell, const std::string& name, int rectified, const Operation& operation) {
    const auto half = [&](const char* part, int x, Index stride) {
      const std::string prefix = name + part;
      const Index width = net_.channels(x);
      x = net_.conv(prefix + ".depthwise_conv2d", x,
                    {.out_channels = width, .kernel = operation.kernel, .stride = stride, .groups = width});
      return net_.conv(prefix + ".pointwise_conv2d", x, {.out_channels = cell.filters});
    };
    int x = crop(cell, name, half(".separable_1", pad(cell, rectified), operation.stride));
    x = relu(name + ".bn_sep_1", net_.batch_norm(name + ".bn_sep_1", x));
    return net_.batch_norm(name + ".bn_sep_2", half(".separable_2", x, 1));
  }

  const Definition& definition_;
  NetworkBuilder& net_;
};

Graph build_definition(const Definition& definition, std::string_view graph_name, const BuildOptions& options) {
  constexpr Index groups = 3;
  const Style style{.resolution = definition.resolution,
                    .padding = definition.padding,
                    .bn_epsilon = 1e-3f,
                    .dropout = 0.5f,
                    .initialisation = Initialisation::slim_nasnet};
  NetworkBuilder net(graph_name, style, options, groups * definition.cells + 4);
  Builder builder(definition, net);
  const Index filters = definition.filters;
  int stem = net.add("conv0.conv",
                     op::Conv2d{.out_channels = definition.stem_channels,
                                .kernel = 3,
                                .stride = net.stem_stride(),
                                .initial = net.initial().stem},
                     {net.input()});  // without padding, whatever the rule
  stem = net.feature(net.batch_norm("conv0.bn", stem));
  int before = builder.add_reduction_cell("cell_stem_0", stem, -1, filters / 4);
  int x = builder.add_reduction_cell("cell_stem_1", before, stem, filters / 2);
  constexpr Index names_per_group = 6;  // in both sizes
  for (Index group = 0, scale = 1; group < groups; ++group, scale *= 2) {
    for (Index cell = 0; cell < definition.cells; ++cell) {
      const Index number = group * names_per_group + cell;
      const int output = builder.add_normal_cell("cell_" + std::to_string(number), x, before, filters * scale);
      before = x;
      x = output;
    }
    if (group + 1 == groups) break;
    const int output =
        builder.add_reduction_cell("reduction_cell_" + std::to_string(group), x, before, 2 * filters * scale);
    if (!definition.skip_reduction_input) before = x;
    x = output;
  }
  x = net.feature(net.activate("features", x, Activation::relu));
  net.classifier("last_linear", net.flatten(net.global_pool(x)));
  return std::move(net).finish();
}

}  // namespace

const Family nasnet = table_family<definitions, build_definition>("nasnet");

}  // namespace linnet::architectures
