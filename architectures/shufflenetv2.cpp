// ShuffleNetV2 (arXiv 1807.11164) as in torchvision: contiguous halves, the shuffle at the end of a unit.
#include <array>
#include <string>

#include "architectures/blocks.h"
#include "architectures/families.h"
#include "architectures/names.h"

namespace linnet::architectures {

namespace {

constexpr Index stem_channels = 24;               // 112 x 112, then a max pool: 56 x 56
constexpr std::array<Index, 3> repeats{4, 8, 4};  // 28 x 28, 14 x 14, 7 x 7; the first unit of each has stride 2

struct Definition {
  const char* name;
  std::array<Index, 3> channels;  // of the stages
  Index head_channels;
  Published published;
};

constexpr const char* torchvision_v1 = "torchvision V1";

// name, stage channels, head channels, published
constexpr Definition definitions[] = {
    {"shufflenet_v2_x0_5", {48, 96, 192}, 1024, {60.552, torchvision_v1}},
    {"shufflenet_v2_x1_0", {116, 232, 464}, 1024, {69.362, torchvision_v1}},
    {"shufflenet_v2_x1_5", {176, 352, 704}, 1024, {72.996, torchvision_v1}},
    {"shufflenet_v2_x2_0", {244, 488, 976}, 2048, {76.230, torchvision_v1}},
};

/// pointwise, depthwise, pointwise; the layers are numbered, activations included.
int add_branch(NetworkBuilder& net, const std::string& prefix, int x, Index channels, Index stride) {
  x = net.conv_bn({prefix + ".0", prefix + ".1"}, x, {.out_channels = channels}, Activation::relu);
  x = net.depthwise_bn({prefix + ".3", prefix + ".4"}, x, 3, stride, Activation::none);
  return net.conv_bn({prefix + ".5", prefix + ".6"}, x, {.out_channels = channels}, Activation::relu);
}

int add_unit(NetworkBuilder& net, const std::string& prefix, int x, Index channels, Index stride) {
  const Index half = channels / 2;
  int left = 0;
  int right = x;
  if (stride == 1) {
    left = net.add(prefix + ".left", op::SliceChannels{0, half}, {x});
    right = net.add(prefix + ".right", op::SliceChannels{half, channels}, {x});
  } else {
    const std::string branch = prefix + ".branch1";
    left = net.depthwise_bn({branch + ".0", branch + ".1"}, x, 3, stride, Activation::none);
    left = net.conv_bn({branch + ".2", branch + ".3"}, left, {.out_channels = half}, Activation::relu);
  }
  right = add_branch(net, prefix + ".branch2", right, half, stride);
  x = net.add(prefix + ".concat", op::Concat{}, {left, right});
  return net.add(prefix + ".shuffle", op::ChannelShuffle{2}, {x});
}

Graph build_definition(const Definition& definition, std::string_view graph_name, const BuildOptions& options) {
  NetworkBuilder net(graph_name, {.initialisation = Initialisation::pytorch}, options, 0);
  int x = net.stem({"conv1.0", "conv1.1"}, stem_channels, Activation::relu);
  x = net.feature(net.add("maxpool", op::MaxPool{.kernel = 3, .stride = 2, .padding = net.padding(3, 2)}, {x}));
  for (std::size_t stage = 0; stage < repeats.size(); ++stage) {
    for (Index unit = 0; unit < repeats[stage]; ++unit) {
      const std::string prefix = "stage" + std::to_string(stage + 2) + "." + std::to_string(unit);
      x = net.feature(add_unit(net, prefix, x, definition.channels[stage], unit == 0 ? 2 : 1));
    }
  }
  x = net.conv_bn({"conv5.0", "conv5.1"}, x, {.out_channels = definition.head_channels}, Activation::relu);
  net.classifier("fc", net.flatten(net.global_pool(x)));
  return std::move(net).finish();
}

}  // namespace

const Family shufflenetv2 = table_family<definitions, build_definition>("shufflenetv2");

}  // namespace linnet::architectures
