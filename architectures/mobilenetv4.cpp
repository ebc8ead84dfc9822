// MobileNetV4 (arXiv 2404.10518): universal inverted bottlenecks, and in the hybrids multi-query attention. Names as in
// timm.
#include <span>
#include <string>

#include "architectures/blocks.h"
#include "architectures/families.h"
#include "architectures/names.h"
#include "architectures/rules.h"
#include "architectures/timm_names.h"

namespace linnet::architectures {

namespace {

enum class Kind { convolution, fused, universal, attention };

/// A universal block has a depthwise convolution before the expansion, one behind it, both or neither.
struct Block {
  std::size_t stage;
  Kind kind;
  Index start;   // kernel of the first depthwise convolution (0: none), or of the only or fused convolution
  Index middle;  // kernel of the second one, 0: none
  Index stride;
  double expansion;  // of the block's input channels
  Index channels;
  Index heads = 0, depth = 0, key_stride = 0;  // of an attention
};

constexpr Block convolution(std::size_t stage, Index kernel, Index stride, Index channels) {
  return {stage, Kind::convolution, kernel, 0, stride, 1, channels};
}
constexpr Block fused(std::size_t stage, Index kernel, Index stride, double expansion, Index channels) {
  return {stage, Kind::fused, kernel, 0, stride, expansion, channels};
}
constexpr Block universal(std::size_t stage, Index start, Index middle, Index stride, double expansion,
                          Index channels) {
  return {stage, Kind::universal, start, middle, stride, expansion, channels};
}
constexpr Block attention(std::size_t stage, Index heads, Index depth, Index key_stride, Index channels) {
  return {stage, Kind::attention, 0, 0, 1, 1, channels, heads, depth, key_stride};
}

constexpr Block conv_small[] = {
    // stage, kernel, stride, channels
    convolution(0, 3, 2, 32),  // 56 x 56
    convolution(0, 1, 1, 32),
    convolution(1, 3, 2, 96),  // 28 x 28
    convolution(1, 1, 1, 64),
    // stage, start, middle, stride, expansion, channels
    universal(2, 5, 5, 2, 3, 96),  // 14 x 14
    universal(2, 0, 3, 1, 2, 96),
    universal(2, 0, 3, 1, 2, 96),
    universal(2, 0, 3, 1, 2, 96),
    universal(2, 0, 3, 1, 2, 96),
    universal(2, 3, 0, 1, 4, 96),
    universal(3, 3, 3, 2, 6, 128),  // 7 x 7
    universal(3, 5, 5, 1, 4, 128),
    universal(3, 0, 5, 1, 4, 128),
    universal(3, 0, 5, 1, 3, 128),
    universal(3, 0, 3, 1, 4, 128),
    universal(3, 0, 3, 1, 4, 128),
    convolution(4, 1, 1, 960),
};
constexpr Block conv_medium[] = {
    fused(0, 3, 2, 4, 48),                                         // 64 x 64
    universal(1, 3, 5, 2, 4, 80),                                  // 32 x 32
    universal(1, 3, 3, 1, 2, 80),  universal(2, 3, 5, 2, 6, 160),  // 16 x 16
    universal(2, 3, 3, 1, 4, 160), universal(2, 3, 3, 1, 4, 160), universal(2, 3, 5, 1, 4, 160),
    universal(2, 3, 3, 1, 4, 160), universal(2, 3, 0, 1, 4, 160), universal(2, 0, 0, 1, 2, 160),
    universal(2, 3, 0, 1, 4, 160), universal(3, 5, 5, 2, 6, 256),  // 8 x 8
    universal(3, 5, 5, 1, 4, 256), universal(3, 3, 5, 1, 4, 256), universal(3, 3, 5, 1, 4, 256),
    universal(3, 0, 0, 1, 4, 256), universal(3, 3, 0, 1, 4, 256), universal(3, 3, 5, 1, 2, 256),
    universal(3, 5, 5, 1, 4, 256), universal(3, 0, 0, 1, 4, 256), universal(3, 0, 0, 1, 4, 256),
    universal(3, 5, 0, 1, 2, 256), convolution(4, 1, 1, 960),
};
constexpr Block conv_large[] = {
    fused(0, 3, 2, 4, 48),                                         // 96 x 96
    universal(1, 3, 5, 2, 4, 96),                                  // 48 x 48
    universal(1, 3, 3, 1, 4, 96),  universal(2, 3, 5, 2, 4, 192),  // 24 x 24
    universal(2, 3, 3, 1, 4, 192), universal(2, 3, 3, 1, 4, 192), universal(2, 3, 3, 1, 4, 192),
    universal(2, 3, 5, 1, 4, 192), universal(2, 5, 3, 1, 4, 192), universal(2, 5, 3, 1, 4, 192),
    universal(2, 5, 3, 1, 4, 192), universal(2, 5, 3, 1, 4, 192), universal(2, 5, 3, 1, 4, 192),
    universal(2, 3, 0, 1, 4, 192), universal(3, 5, 5, 2, 4, 512),  // 12 x 12
    universal(3, 5, 5, 1, 4, 512), universal(3, 5, 5, 1, 4, 512), universal(3, 5, 5, 1, 4, 512),
    universal(3, 5, 0, 1, 4, 512), universal(3, 5, 3, 1, 4, 512), universal(3, 5, 0, 1, 4, 512),
    universal(3, 5, 0, 1, 4, 512), universal(3, 5, 3, 1, 4, 512), universal(3, 5, 5, 1, 4, 512),
    universal(3, 5, 0, 1, 4, 512), universal(3, 5, 0, 1, 4, 512), universal(3, 5, 0, 1, 4, 512),
    convolution(4, 1, 1, 960),
};
constexpr Block hybrid_medium[] = {
    fused(0, 3, 2, 4, 48),                                         // 64 x 64
    universal(1, 3, 5, 2, 4, 80),                                  // 32 x 32
    universal(1, 3, 3, 1, 2, 80),  universal(2, 3, 5, 2, 6, 160),  // 16 x 16
    universal(2, 0, 0, 1, 2, 160), universal(2, 3, 3, 1, 4, 160), universal(2, 3, 5, 1, 4, 160),
    attention(2, 4, 64, 2, 160),   universal(2, 3, 3, 1, 4, 160), attention(2, 4, 64, 2, 160),
    universal(2, 3, 0, 1, 4, 160), attention(2, 4, 64, 2, 160),   universal(2, 3, 3, 1, 4, 160),
    attention(2, 4, 64, 2, 160),   universal(2, 3, 0, 1, 4, 160), universal(3, 5, 5, 2, 6, 256),  // 8 x 8
    universal(3, 5, 5, 1, 4, 256), universal(3, 3, 5, 1, 4, 256), universal(3, 3, 5, 1, 4, 256),
    universal(3, 0, 0, 1, 2, 256), universal(3, 3, 5, 1, 2, 256), universal(3, 0, 0, 1, 2, 256),
    universal(3, 0, 0, 1, 4, 256), attention(3, 4, 64, 1, 256),   universal(3, 3, 0, 1, 4, 256),
    attention(3, 4, 64, 1, 256),   universal(3, 5, 5, 1, 4, 256), attention(3, 4, 64, 1, 256),
    universal(3, 5, 0, 1, 4, 256), attention(3, 4, 64, 1, 256),   universal(3, 5, 0, 1, 4, 256),
    convolution(4, 1, 1, 960),
};
constexpr Block hybrid_large[] = {
    fused(0, 3, 2, 4, 48),                                         // 96 x 96
    universal(1, 3, 5, 2, 4, 96),                                  // 48 x 48
    universal(1, 3, 3, 1, 4, 96),  universal(2, 3, 5, 2, 4, 192),  // 24 x 24
    universal(2, 3, 3, 1, 4, 192), universal(2, 3, 3, 1, 4, 192), universal(2, 3, 3, 1, 4, 192),
    universal(2, 3, 5, 1, 4, 192), universal(2, 5, 3, 1, 4, 192), universal(2, 5, 3, 1, 4, 192),
    attention(2, 8, 48, 2, 192),   universal(2, 5, 3, 1, 4, 192), attention(2, 8, 48, 2, 192),
    universal(2, 5, 3, 1, 4, 192), attention(2, 8, 48, 2, 192),   universal(2, 5, 3, 1, 4, 192),
    attention(2, 8, 48, 2, 192),   universal(2, 3, 0, 1, 4, 192), universal(3, 5, 5, 2, 4, 512),  // 12 x 12
    universal(3, 5, 5, 1, 4, 512), universal(3, 5, 5, 1, 4, 512), universal(3, 5, 5, 1, 4, 512),
    universal(3, 5, 0, 1, 4, 512), universal(3, 5, 3, 1, 4, 512), universal(3, 5, 0, 1, 4, 512),
    universal(3, 5, 0, 1, 4, 512), universal(3, 5, 3, 1, 4, 512), universal(3, 5, 5, 1, 4, 512),
    attention(3, 8, 64, 1, 512),   universal(3, 5, 0, 1, 4, 512), attention(3, 8, 64, 1, 512),
    universal(3, 5, 0, 1, 4, 512), attention(3, 8, 64, 1, 512),   universal(3, 5, 0, 1, 4, 512),
    attention(3, 8, 64, 1, 512),   universal(3, 5, 0, 1, 4, 512), convolution(4, 1, 1, 960),
};

struct Layout {
  std::span<const Block> blocks;
  Index stem_channels;
  Activation activation;
  bool layer_scale;
  float dropout;
};
constexpr Layout small{conv_small, 32, Activation::relu, false, 0.3f};
constexpr Layout medium{conv_medium, 32, Activation::relu, false, 0.2f};
constexpr Layout large{conv_large, 24, Activation::relu, false, 0.2f};
constexpr Layout medium_hybrid{hybrid_medium, 32, Activation::relu, true, 0.2f};
constexpr Layout large_hybrid{hybrid_large, 24, Activation::gelu, true, 0.2f};
constexpr Index head_channels = 1280;

/// What does the work of a stride: the convolution itself, or a pool behind it that lets no alias pass.
enum class Downsampling { stride, average, blur };
constexpr auto strided = Downsampling::stride;
constexpr auto average = Downsampling::average;
constexpr auto blur = Downsampling::blur;

struct Definition {
  const char* name;
  const Layout& layout;
  double width;
  Downsampling downsampling;
  Index resolution;
  Published published;
};

constexpr const char* csv = "timm results-imagenet.csv";

// name, layout, width, downsampling, resolution, published
constexpr Definition definitions[] = {
    {"mobilenetv4_conv_small_035", small, 0.35, strided, 224, {}},
    {"mobilenetv4_conv_small_050", small, 0.5, strided, 224, {64.778, csv}},
    {"mobilenetv4_conv_small", small, 1, strided, 224, {73.756, csv}},
    {"mobilenetv4_conv_medium", medium, 1, strided, 256, {79.916, csv}},
    {"mobilenetv4_conv_large", large, 1, strided, 384, {82.974, csv}},
    {"mobilenetv4_hybrid_medium_075", medium_hybrid, 0.75, strided, 224, {}},
    {"mobilenetv4_hybrid_medium", medium_hybrid, 1, strided, 256, {81.478, csv}},
    {"mobilenetv4_hybrid_large_075", large_hybrid, 0.75, strided, 256, {}},
    {"mobilenetv4_hybrid_large", large_hybrid, 1, strided, 384, {83.996, csv}},
    {"mobilenetv4_conv_aa_medium", medium, 1, average, 256, {}},
    {"mobilenetv4_conv_blur_medium", medium, 1, blur, 224, {79.446, csv}},
    {"mobilenetv4_conv_aa_large", large, 1, average, 384, {83.264, csv}},
};

class Builder {
 public:
  Builder(const Definition& definition, NetworkBuilder& net) : definition_(definition), net_(net) {}

  int add(const std::string& name, int x, const Block& block) {
    switch (block.kind) {
      case Kind::convolution:
        net_.next_block();
        return net_.conv_bn({name + ".conv", name + ".bn1"}, x,
                            {.out_channels = channels(block), .kernel = block.start, .stride = block.stride},
                            activation());
      case Kind::fused:
        return add_fused(timm::fused(name), x, block);
      case Kind::universal:
        return add_universal(name, x, block);
      case Kind::attention:
        return add_attention(name, x, block);
    }
    return x;
  }

 private:
  Activation activation() const { return definition_.layout.activation; }
  Index channels(const Block& block) const { return make_divisible(double(block.channels) * definition_.width); }
  Index expanded(int x, const Block& block) const { return make_divisible(double(net_.channels(x)) * block.expansion); }
  /// The stride that is left to a convolution.
  Index conv_stride(Index stride) const { return definition_.downsampling == Downsampling::stride ? stride : 1; }

  int downsample(const std::string& name, int x, Index stride) {
    if (stride == 1 || definition_.downsampling == Downsampling::stride) return x;
    if (definition_.downsampling == Downsampling::blur) return net_.add(name + ".aa", op::BlurPool{}, {x});
    return net_.add(name + ".aa", op::AveragePool{.kernel = stride, .stride = stride}, {x});
  }

  int end_block(const std::string& name, int x, int y, const Block& block) {
    if (definition_.layout.layer_scale) y = net_.add(name + ".layer_scale", op::LayerScale{}, {y});
    return add_shortcut(name, x, y, block);
  }

  int add_shortcut(const std::string& name, int x, int y, const Block& block) {
    return block.stride == 1 && net_.channels(x) == net_.channels(y) ? net_.add_shortcut(name, x, y) : y;
  }

  int add_fused(const InvertedResidualNames& names, int x, const Block& block) {
    net_.next_block();
    int y = net_.conv_bn(
        names.expand, x,
        {.out_channels = expanded(x, block), .kernel = block.start, .stride = conv_stride(block.stride)}, activation());
    y = downsample(names.block, y, block.stride);
    y = net_.conv_bn(names.project, y, {.out_channels = channels(block)}, Activation::none);
    return add_shortcut(names.block, x, y, block);
  }

  int add_depthwise(const std::string& name, int x, Index kernel, Index stride, Activation activation) {
    x = net_.depthwise_bn({name + ".conv", name + ".bn"}, x, kernel, conv_stride(stride), activation);
    return downsample(name, x, stride);
  }

  int add_universal(const std::string& name, int x, const Block& block) {
    net_.next_block();
    int y = x;
    if (block.start != 0) {
      y = add_depthwise(name + ".dw_start", y, block.start, block.middle != 0 ? 1 : block.stride, Activation::none);
    }
    const std::string expand = name + ".pw_exp", project = name + ".pw_proj";
    y = net_.conv_bn({expand + ".conv", expand + ".bn"}, y, {.out_channels = expanded(x, block)}, activation());
    if (block.middle != 0) y = add_depthwise(name + ".dw_mid", y, block.middle, block.stride, activation());
    y = net_.conv_bn({project + ".conv", project + ".bn"}, y, {.out_channels = channels(block)}, Activation::none);
    return end_block(name, x, y, block);
  }

  int add_key(const std::string& name, int x, const Block& block) {
    if (block.key_stride > 1) {
      const Index width = net_.channels(x);
      x = net_.conv_bn({name + ".down_conv", name + ".norm"}, x,
                       {.out_channels = width,
                        .kernel = 3,
                        .stride = block.key_stride,
                        .groups = width,
                        .initial = Initial::glorot_uniform},
                       Activation::none);
    }
    return add_projection(name, x, block.depth);
  }

  /// Of an attention; timm draws them all from another distribution than its other convolutions.
  int add_projection(const std::string& name, int x, Index channels) {
    return net_.conv(name + ".proj", x, {.out_channels = channels, .initial = Initial::glorot_uniform});
  }

  int add_attention(const std::string& name, int x, const Block& block) {
    net_.next_block();
    const std::string prefix = name + ".attn";
    const int y = net_.batch_norm(name + ".norm", x);
    const int query = add_projection(prefix + ".query", y, block.heads * block.depth);
    const int key = add_key(prefix + ".key", y, block);
    const int value = add_key(prefix + ".value", y, block);
    const int mixed = net_.add(prefix, op::MultiQueryAttention{block.heads}, {query, key, value});
    return end_block(name, x, add_projection(prefix + ".output", mixed, channels(block)), block);
  }

  const Definition& definition_;
  NetworkBuilder& net_;
};

Graph build_definition(const Definition& definition, std::string_view graph_name, const BuildOptions& options) {
  const Layout& layout = definition.layout;
  NetworkBuilder net(graph_name, {.resolution = definition.resolution, .dropout = layout.dropout}, options,
                     static_cast<Index>(layout.blocks.size()));
  Builder builder(definition, net);
  int x = net.stem(timm::stem, layout.stem_channels, layout.activation);  // never scaled
  std::size_t stage = 0;
  Index index = 0;  // within the stage
  for (const Block& block : layout.blocks) {
    if (block.stage != stage) index = 0;
    stage = block.stage;
    x = net.feature(builder.add(timm::block(stage, index++), x, block));
  }
  x = net.conv_bn({"conv_head", "norm_head"}, net.global_pool(x), {.out_channels = head_channels}, layout.activation);
  net.classifier("classifier", net.flatten(x));
  return std::move(net).finish();
}

}  // namespace

const Family mobilenetv4 = table_family<definitions, build_definition>("mobilenetv4");

}  // namespace linnet::architectures
