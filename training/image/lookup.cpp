#include <algorithm>
#include <array>
#include <numeric>

#include "linnet/error.h"
#include "training/image/operators.h"

namespace linnet::training {
namespace {

using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int64_t, 256>;

template <class Function>
Table make_table(Function&& function) {
  Table table{};
  for (int value = 0; value < 256; ++value)
    table[static_cast<std::size_t>(value)] = static_cast<std::uint8_t>(std::clamp<int>(function(value), 0, 255));
  return table;
}

Image looked_up(const Image& image, const Table& table) {
  Image result = image;
  for (std::uint8_t& value : result.pixels) value = table[value];
  return result;
}

// A table per channel, made from its histogram.
template <class Function>
Image looked_up_by_channel(const Image& image, Function&& table_of) {
  Image result = image;
  const std::size_t channels = static_cast<std::size_t>(image.channels);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    Histogram histogram{};
    for (std::size_t i = channel; i < image.pixels.size(); i += channels) ++histogram[image.pixels[i]];
    const Table table = table_of(histogram);
    for (std::size_t i = channel; i < image.pixels.size(); i += channels) result.pixels[i] = table[image.pixels[i]];
  }
  return result;
}

Table autocontrast_table(const Histogram& histogram) {
  const auto is_used = [](std::int64_t count) { return count != 0; };
  const auto first = std::find_if(histogram.begin(), histogram.end(), is_used);
  const auto last = std::find_if(histogram.rbegin(), histogram.rend(), is_used);
  const int low = static_cast<int>(first - histogram.begin());
  const int high = 255 - static_cast<int>(last - histogram.rbegin());
  if (high <= low) return make_table([](int value) { return value; });
  const double scale = 255.0 / (high - low), offset = -low * scale;
  return make_table([&](int value) { return static_cast<int>(value * scale + offset); });
}

Table equalize_table(const Histogram& histogram) {
  const std::int64_t total = std::accumulate(histogram.begin(), histogram.end(), std::int64_t{0});
  const auto last = std::find_if(histogram.rbegin(), histogram.rend(), [](std::int64_t count) { return count != 0; });
  const std::int64_t step = last == histogram.rend() ? 0 : (total - *last) / 255;
  if (step == 0) return make_table([](int value) { return value; });
  std::int64_t before = step / 2;
  return make_table([&](int value) {
    const std::int64_t place = before / step;
    before += histogram[static_cast<std::size_t>(value)];
    return static_cast<int>(place);
  });
}

}  // namespace

Image autocontrast(const Image& image) { return looked_up_by_channel(image, autocontrast_table); }

Image equalize(const Image& image) { return looked_up_by_channel(image, equalize_table); }

Image invert(const Image& image) {
  return looked_up(image, make_table([](int value) { return 255 - value; }));
}

Image posterize(const Image& image, int bits) {
  if (bits < 0 || bits > 8) throw Error("posterize: expected 0 to 8 bits, found " + std::to_string(bits));
  const int mask = 0xff & ~((1 << (8 - bits)) - 1);
  return looked_up(image, make_table([mask](int value) { return value & mask; }));
}

Image solarize(const Image& image, double threshold) {
  return looked_up(image, make_table([threshold](int value) { return value < threshold ? value : 255 - value; }));
}

Image solarize_add(const Image& image, int amount) {
  return looked_up(image, make_table([amount](int value) { return value < 128 ? value + amount : value; }));
}

}  // namespace linnet::training
