#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "linnet/error.h"
#include "linnet/model.h"

namespace linnet {
namespace {

/// The normalised value of each of the 256 levels.
using Levels = std::array<float, 256>;

std::vector<Levels> level_table(const Preprocessing& preprocessing) {
  std::vector<Levels> table(preprocessing.mean.size());
  for (std::size_t channel = 0; channel < table.size(); ++channel) {
    for (std::size_t level = 0; level < table[channel].size(); ++level) {
      table[channel][level] =
          (static_cast<float>(level) / 255.0f - preprocessing.mean[channel]) / preprocessing.std[channel];
    }
  }
  return table;
}

bool is_one_of(const std::string& text, std::initializer_list<const char*> names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

}  // namespace

void check_preprocessing(const Preprocessing& preprocessing, Index channels) {
  const auto fail = [](const std::string& what) { throw Error("preprocessing: " + what); };
  if (preprocessing.resize < 0) {
    fail("resize is " + std::to_string(preprocessing.resize) + ", expected 0 or more");
  }
  if (!is_one_of(preprocessing.interpolation, {"bilinear", "bicubic"})) {
    fail("unknown interpolation '" + preprocessing.interpolation + "', expected bilinear or bicubic");
  }
  if (!is_one_of(preprocessing.crop_mode, {"center", "squash", "border"})) {
    fail("unknown crop_mode '" + preprocessing.crop_mode + "', expected center, squash or border");
  }
  const bool order_fits = is_one_of(preprocessing.channel_order, {"RGB", "BGR"})
                              ? channels != 1
                              : preprocessing.channel_order == "L" && channels == 1;
  if (!order_fits) {
    fail("channel_order '" + preprocessing.channel_order + "' does not fit " + std::to_string(channels) +
         " channels, expected L for one and RGB or BGR for three");
  }
  const auto count = static_cast<std::size_t>(channels);
  if (preprocessing.mean.size() != count || preprocessing.std.size() != count) {
    fail("mean has " + std::to_string(preprocessing.mean.size()) + " and std " +
         std::to_string(preprocessing.std.size()) + " values for " + std::to_string(channels) + " channels");
  }
  for (std::size_t channel = 0; channel < count; ++channel) {
    const float deviation = preprocessing.std[channel];
    if (!std::isfinite(preprocessing.mean[channel]) || !std::isfinite(deviation) || deviation <= 0) {
      fail("mean " + std::to_string(preprocessing.mean[channel]) + " and std " + std::to_string(deviation) +
           " of channel " + std::to_string(channel) + " should be finite, and std above 0");
    }
  }
}

void normalise(const Preprocessing& preprocessing, Index pixels, Index channels, const std::uint8_t* input,
               float* output) {
  check_preprocessing(preprocessing, channels);
  const std::vector<Levels> table = level_table(preprocessing);
  const bool swap = preprocessing.channel_order == "BGR" && channels == 3;
  for (Index channel = 0; channel < channels; ++channel) {
    const Levels& levels = table[static_cast<std::size_t>(channel)];
    const std::uint8_t* from = input + (swap ? channels - 1 - channel : channel);
    float* to = output + channel;
    for (Index pixel = 0; pixel < pixels; ++pixel) {
      to[pixel * channels] = levels[from[pixel * channels]];
    }
  }
}

}  // namespace linnet
