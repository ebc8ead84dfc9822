#include <array>
#include <stdexcept>
#include <string>
#include <utility>

#include "linnet/ops.h"

namespace linnet {
namespace {

constexpr std::array<std::pair<Initial, std::string_view>, 10> names{{
    {Initial::normal_fan_out, "normal_fan_out"},
    {Initial::normal_fan_out_all, "normal_fan_out_all"},
    {Initial::normal_channels, "normal_channels"},
    {Initial::normal_hundredth, "normal_hundredth"},
    {Initial::truncated_nine_hundredth, "truncated_nine_hundredth"},
    {Initial::truncated_fan_out, "truncated_fan_out"},
    {Initial::uniform_fan_in, "uniform_fan_in"},
    {Initial::uniform_fan_out, "uniform_fan_out"},
    {Initial::he_uniform, "he_uniform"},
    {Initial::glorot_uniform, "glorot_uniform"},
}};

}  // namespace

std::string_view to_string(Initial initial) {
  for (const auto& [value, name] : names) {
    if (value == initial) return name;
  }
  throw std::invalid_argument("initial distribution number " + std::to_string(static_cast<int>(initial)) +
                              " does not exist");
}

Initial initial_from_string(std::string_view text) {
  std::string known;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    known += known.empty() ? "" : ", ";
    known += name;
  }
  throw std::invalid_argument("unknown initial distribution \"" + std::string(text) + "\"; known are " + known);
}

}  // namespace linnet
