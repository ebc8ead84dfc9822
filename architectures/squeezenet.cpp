// SqueezeNet (arXiv 1602.07360): fire modules, no batch norm. Versions, padding and names as in torchvision; the bypass
// variants, which it lacks, are the paper's.
#include <span>
#include <string>

#include "architectures/blocks.h"
#include "architectures/families.h"
#include "architectures/names.h"

namespace linnet::architectures {

namespace {

/// A fire module, or a max pool where `squeeze` is 0.
struct Layer {
  Index squeeze = 0;
  Index expand = 0;  // channels of each of the two expanding convolutions
};
constexpr Layer pool{};

constexpr Layer version_1_0[] = {
    pool, {16, 64},  {16, 64},  {32, 128},             // 54 x 54
    pool, {32, 128}, {48, 192}, {48, 192}, {64, 256},  // 27 x 27
    pool, {64, 256},                                   // 13 x 13
};
constexpr Layer version_1_1[] = {
    pool, {16, 64},  {16, 64},                         // 55 x 55
    pool, {32, 128}, {32, 128},                        // 27 x 27
    pool, {48, 192}, {48, 192}, {64, 256}, {64, 256},  // 13 x 13
};

/// What is added to a fire module's output: nothing; its input, where the channels allow it; or else a convolution of
/// it.
enum class Bypass { none, simple, complex };

struct Definition {
  const char* name;
  std::span<const Layer> layers;
  Index stem_channels, stem_kernel;
  Bypass bypass;
  Published published;
};

constexpr const char* torchvision_v1 = "torchvision V1";
constexpr const char* paper = "arXiv 1602.07360";

// name, layers, stem channels, stem kernel, bypass, published
constexpr Definition definitions[] = {
    {"squeezenet1_0", version_1_0, 96, 7, Bypass::none, {58.092, torchvision_v1}},
    {"squeezenet1_1", version_1_1, 64, 3, Bypass::none, {58.178, torchvision_v1}},
    {"squeezenet1_0_simple_bypass", version_1_0, 96, 7, Bypass::simple, {60.4, paper}},
    {"squeezenet1_0_complex_bypass", version_1_0, 96, 7, Bypass::complex, {58.8, paper}},
};

int add_conv(NetworkBuilder& net, const std::string& name, int x, const Conv& conv) {
  return net.activate(name, net.conv(name, x, conv), Activation::relu);
}

int add_fire(NetworkBuilder& net, const std::string& prefix, int x, const Layer& fire, Bypass bypass) {
  net.next_block();
  const int squeezed = add_conv(net, prefix + ".squeeze", x, {.out_channels = fire.squeeze, .bias = true});
  const int narrow = add_conv(net, prefix + ".expand1x1", squeezed, {.out_channels = fire.expand, .bias = true});
  const int wide =
      add_conv(net, prefix + ".expand3x3", squeezed, {.out_channels = fire.expand, .kernel = 3, .bias = true});
  const int y = net.add(prefix + ".concat", op::Concat{}, {narrow, wide});
  if (bypass == Bypass::none) return y;
  if (net.channels(x) == net.channels(y)) return net.add_shortcut(prefix, x, y);
  if (bypass == Bypass::simple) return y;
  return net.add_shortcut(prefix, net.conv(prefix + ".bypass", x, {.out_channels = net.channels(y), .bias = true}), y);
}

Graph build_definition(const Definition& definition, std::string_view graph_name, const BuildOptions& options) {
  constexpr Index fires = 8;
  NetworkBuilder net(graph_name, {.dropout = 0.5f, .initialisation = Initialisation::torchvision_squeezenet}, options,
                     fires);
  int x = add_conv(net, "features.0", net.input(),
                   {.out_channels = definition.stem_channels,
                    .kernel = definition.stem_kernel,
                    .stride = net.stem_stride(),
                    .bias = true,
                    .padding = 0,
                    .initial = net.initial().stem});
  net.feature(x);
  int index = 2;  // features.1 is the stem's activation
  for (const Layer& layer : definition.layers) {
    const std::string name = "features." + std::to_string(index++);
    x = layer.squeeze != 0
            ? net.feature(add_fire(net, name, x, layer, definition.bypass))
            : net.add(name, op::MaxPool{.kernel = 3, .stride = 2, .padding = net.padding(3, 2, 0), .ceil_mode = true},
                      {x});
  }
  if (net.classes() != 0) {
    x = add_conv(net, "classifier.1", net.dropout(x),
                 {.out_channels = net.classes(), .bias = true, .initial = net.initial().classifier});
  }
  net.flatten(net.global_pool(x));
  return std::move(net).finish();
}

}  // namespace

const Family squeezenet = table_family<definitions, build_definition>("squeezenet");

}  // namespace linnet::architectures
