#include "kernels/winograd/winograd.h"

#include <algorithm>
#include <cstdint>

#include "kernels/conv/tiles.h"
#include "kernels/pointwise/panels.h"
#include "kernels/pointwise/split.h"
#include "kernels/winograd/tiles.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

constexpr Index points = WinogradTiles::points;

/// Chunks are blocks of tiles times groups of panels. A block's transforms, and its products with one panel of weights,
/// stay in the cache. A worker keeps the transforms of its last block for further groups of panels.
struct Cut {
  Cut(const Window& window, Index in_channels, Index out_channels)
      : tiles(WinogradTiles(window).count),
        lanes(winograd_kernels().lanes),
        channels(whole_vectors(in_channels, lanes)),
        panels(panel_count(out_channels, lanes)) {
    constexpr Index block_floats = 32 * 1024, least_tiles = 16;
    const Index tile_rows = winograd_kernels().tile_rows, tile_floats = points * (channels + 2 * lanes);
    const Index most_tiles = divide_up(std::max(block_floats / tile_floats, least_tiles), tile_rows) * tile_rows;
    blocks = divide_up(tiles, most_tiles);
    block_tiles = blocks == 0 ? 0 : divide_up(tiles, blocks);
    groups = chunk_count(std::int64_t{block_tiles} * points * in_channels * out_channels, panels);
  }

  // A worker's slice of the workspace: the number of the block that it holds, transforms, products.
  Index transforms_begin() const { return 16; }
  Index products_begin() const { return transforms_begin() + floats_for(channels); }
  Index slice_floats() const { return products_begin() + floats_for(3 * lanes); }

  Index tiles, lanes, channels, panels;
  Index blocks, block_tiles, groups;

 private:
  Index floats_for(Index width) const {
    return static_cast<Index>(aligned_size(points * winograd_point_stride(block_tiles, width)));
  }
};

void multiply(const ConvArgs& args, const Cut& cut, Range tiles, Range panels, const float* transforms,
              float* products) {
  const WinogradKernels& kernels = winograd_kernels();
  for (Index panel = panels.begin; panel < panels.end; ++panel) {
    const Index begin = panel_begin(panel, cut.lanes), vectors = panel_vectors(panel, args.out_channels, cut.lanes);
    const float* weights = args.weights + begin * args.in_channels * points;
    kernels.multiply({tiles.size(), args.in_channels, vectors, transforms, weights, products});
    kernels.transform_output(args, tiles, {begin, std::min(begin + vectors * cut.lanes, args.out_channels)}, products);
  }
}

}  // namespace

std::span<const Variant<WinogradKernels>> winograd_variants() {
  static constexpr Variant<WinogradKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::winograd_kernels},
#include "kernels/winograd/variants.inc"
  };
  return variants;
}

const WinogradKernels& winograd_kernels() {
  static const WinogradKernels& kernels = select(winograd_variants());
  return kernels;
}

// In multiply-adds per pair of channels. Beside the products there are the transforms, which cost a tile as much as 10
// more inputs and 8 more outputs would, and the weights, read once, as much as 3 more tiles. So the method pays from
// maps of 6x6 and from about 8 channels on, as measured with AVX2; layers that overhang or have 3 inputs are left out.
bool winograd_pays(const Window& window, Index in_channels, Index out_channels) {
  if (!winograd_fits(window) || in_channels == 0 || out_channels == 0) return false;
  const auto tiles = static_cast<double>(WinogradTiles(window).count);
  const double transforms = tiles * (10.0 / static_cast<double>(in_channels) + 8.0 / static_cast<double>(out_channels));
  return points * (tiles + 3 + transforms) < static_cast<double>(window.out_pixels() * window.kernel_area());
}

std::size_t winograd_workspace_size(const Window& window, Index in_channels, Index out_channels, int threads) {
  const Cut cut(window, in_channels, out_channels);
  return aligned_size(in_channels) + static_cast<std::size_t>(threads * cut.slice_floats());
}

void winograd(ThreadPool& pool, const ConvArgs& args) {
  const Cut cut(args.window, args.in_channels, args.out_channels);
  const Index zero_floats = static_cast<Index>(aligned_size(args.in_channels));
  const float* zeros = args.workspace;
  std::fill_n(args.workspace, zero_floats, 0.0f);
  const auto slice_of = [&](int worker) { return args.workspace + zero_floats + worker * cut.slice_floats(); };
  constexpr float no_block = -1;
  for (int worker = 0; worker < pool.threads(); ++worker) *slice_of(worker) = no_block;

  pool.run(cut.blocks * cut.groups, [&](Index chunk, int worker) {
    const Range tiles = split(cut.tiles, cut.blocks, chunk / cut.groups);
    const Range panels = split(cut.panels, cut.groups, chunk % cut.groups);
    float* held_block = slice_of(worker);
    float* transforms = held_block + cut.transforms_begin();
    const auto block = static_cast<float>(chunk / cut.groups);
    if (*held_block != block) winograd_kernels().transform_input(args, tiles, zeros, transforms);
    *held_block = block;
    multiply(args, cut, tiles, panels, transforms, held_block + cut.products_begin());
  });
}

}  // namespace linnet::kernels
