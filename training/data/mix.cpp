#include "training/data/mix.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>

#include "linnet/error.h"

namespace linnet::training {
namespace {

Box cutmix_box(Index height, Index width, double share, const Uniform& draw) {
  const double ratio = std::sqrt(1 - share);
  const auto box_height = static_cast<Index>(static_cast<double>(height) * ratio);
  const auto box_width = static_cast<Index>(static_cast<double>(width) * ratio);
  const Index row = draw_index(draw, height - 1), column = draw_index(draw, width - 1);
  const Index top = std::max<Index>(row - box_height / 2, 0), left = std::max<Index>(column - box_width / 2, 0);
  const Index bottom = std::min(row + (box_height + 1) / 2, height);
  const Index right = std::min(column + (box_width + 1) / 2, width);
  return {top, left, bottom - top, right - left};
}

/// Pictures of one size.
struct Extent {
  Index height, width, channels;
  Index size() const { return height * width * channels; }
};

void blend_into(float* picture, const float* partner, const Extent& extent, double share) {
  const float own = static_cast<float>(share), other = static_cast<float>(1 - share);
  for (Index i = 0; i < extent.size(); ++i) picture[i] = picture[i] * own + partner[i] * other;
}

void copy_box(float* picture, const float* partner, const Extent& extent, const Box& box) {
  for (Index y = box.top; y < box.top + box.height; ++y) {
    const Index begin = (y * extent.width + box.left) * extent.channels;
    std::copy_n(partner + begin, box.width * extent.channels, picture + begin);
  }
}

// The samples that a mixture is for. In pairs, the middle one of an odd batch has no partner.
std::vector<Index> members(const Mixing& mixing, Index place, Index samples) {
  if (mixing.mode == "element") return {place};
  if (mixing.mode == "pair") return {place, samples - 1 - place};
  std::vector<Index> all(static_cast<std::size_t>(samples));
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

}  // namespace

void check_mixing(const Mixing& mixing) {
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw Error("mixing: " + message);
  };
  require(mixing.mixup_alpha >= 0 && mixing.cutmix_alpha >= 0, "the alphas must not be negative");
  require(mixing.probability >= 0 && mixing.probability <= 1, "the probability must be in [0, 1]");
  require(mixing.cutmix_share >= 0 && mixing.cutmix_share <= 1, "the share of CutMix must be in [0, 1]");
  require(mixing.mode == "batch" || mixing.mode == "pair" || mixing.mode == "element",
          "unknown mode '" + mixing.mode + "', expected batch, pair or element");
}

std::vector<float> mix_pictures(Tensor& pictures, const Mixing& mixing, const std::vector<Mixture>& mixtures,
                                const Uniform& draw) {
  const Index samples = pictures.dimension(0);
  const Extent extent{pictures.dimension(1), pictures.dimension(2), pictures.dimension(3)};
  const Tensor before = pictures.clone();
  std::vector<float> shares(static_cast<std::size_t>(samples), 1.0f);
  for (std::size_t place = 0; place < mixtures.size(); ++place) {
    // timm keeps the share of a whole batch in double precision, others in single.
    double share = mixtures[place].share;
    if (mixing.mode != "batch") share = static_cast<double>(static_cast<float>(share));
    if (share == 1) continue;
    std::optional<Box> box;
    if (mixtures[place].cutmix) {
      box = cutmix_box(extent.height, extent.width, share, draw);
      if (mixing.correct_share)
        share = 1 - static_cast<double>(box->height * box->width) / static_cast<double>(extent.height * extent.width);
    }
    for (const Index i : members(mixing, static_cast<Index>(place), samples)) {
      float* const picture = pictures.data() + i * extent.size();
      const float* const partner = before.data() + (samples - 1 - i) * extent.size();
      if (box)
        copy_box(picture, partner, extent, *box);
      else
        blend_into(picture, partner, extent, share);
      shares[static_cast<std::size_t>(i)] = static_cast<float>(share);
    }
  }
  return shares;
}

std::vector<float> mix_at_random(Tensor& pictures, const Mixing& mixing, const Uniform& draw) {
  if (!mixing.enabled()) return {};
  const Index samples = pictures.dimension(0);
  const Index count = mixing.mode == "batch" ? 1 : mixing.mode == "pair" ? samples / 2 : samples;
  std::vector<Mixture> mixtures(static_cast<std::size_t>(count));
  for (Mixture& mixture : mixtures) {
    if (mixing.probability < 1 && draw() >= mixing.probability) continue;
    mixture.cutmix = mixing.mixup_alpha == 0 || (mixing.cutmix_alpha > 0 && draw() < mixing.cutmix_share);
    mixture.share = draw_beta(draw, mixture.cutmix ? mixing.cutmix_alpha : mixing.mixup_alpha);
  }
  if (std::all_of(mixtures.begin(), mixtures.end(), [](const Mixture& mixture) { return mixture.share == 1; }))
    return {};
  return mix_pictures(pictures, mixing, mixtures, draw);
}

}  // namespace linnet::training
