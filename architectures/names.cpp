#include "architectures/names.h"

#include <algorithm>
#include <charconv>

#include "engine/edit_distance.h"

namespace linnet::architectures {

namespace {

/// A number of digits alone, of a sensible size.
std::optional<Index> number(std::string_view text) {
  std::int32_t value = 0;
  const char* end = text.data() + text.size();
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

}  // namespace

std::optional<double> width_in_name(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix) || name.size() != prefix.size() + 3) return std::nullopt;
  const auto percent = number(name.substr(prefix.size()));
  if (!percent || *percent == 0) return std::nullopt;
  return double(*percent) / 100;
}

ParsedName parse_name(std::string_view name) {
  ParsedName parsed{.variant = name, .height = {}, .width = {}, .classes = {}};
  const auto last_part = [&] {
    const std::size_t underscore = parsed.variant.rfind('_');
    return underscore == std::string_view::npos ? std::string_view() : parsed.variant.substr(underscore + 1);
  };
  const auto drop_last_part = [&] { parsed.variant = parsed.variant.substr(0, parsed.variant.rfind('_')); };

  if (const auto part = last_part(); part.starts_with('c')) {
    parsed.classes = number(part.substr(1));
    if (parsed.classes) drop_last_part();
  }
  if (const auto part = last_part(); part.find('x') != std::string_view::npos) {
    const auto height = number(part.substr(0, part.find('x')));
    const auto width = number(part.substr(part.find('x') + 1));
    if (height.value_or(0) > 0 && width.value_or(0) > 0) {
      parsed.height = height;
      parsed.width = width;
      drop_last_part();
    }
  }
  return parsed;
}

std::vector<std::string> nearest_names(std::string_view name, const std::vector<Variant>& known, std::size_t count) {
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const Variant& variant : known) ranked.emplace_back(edit_distance(name, variant.name), variant.name);
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> nearest;
  for (std::size_t i = 0; i < std::min(count, ranked.size()); ++i) nearest.push_back(ranked[i].second);
  return nearest;
}

}  // namespace linnet::architectures
