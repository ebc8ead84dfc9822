// Enumerations that people and files know by name.
#pragma once

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace linnet::kernels {

template <class Enum, std::size_t count>
using EnumNames = std::array<std::pair<Enum, std::string_view>, count>;

/// Throws std::invalid_argument for a number that is no value; `what` says of which enumeration.
template <class Enum, std::size_t count>
std::string_view name_of(const EnumNames<Enum, count>& names, Enum wanted, const char* what) {
  for (const auto& [value, name] : names) {
    if (value == wanted) return name;
  }
  throw std::invalid_argument(std::string(what) + " number " + std::to_string(static_cast<int>(wanted)) +
                              " does not exist");
}

/// The inverse. Throws std::invalid_argument that names the text and lists the known names.
template <class Enum, std::size_t count>
Enum value_of(const EnumNames<Enum, count>& names, std::string_view text, const char* what) {
  std::string known;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    known += known.empty() ? "" : ", ";
    known += name;
  }
  throw std::invalid_argument("unknown " + std::string(what) + " \"" + std::string(text) + "\"; known are " + known);
}

}  // namespace linnet::kernels
