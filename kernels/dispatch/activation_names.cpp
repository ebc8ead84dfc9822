#include <array>
#include <stdexcept>
#include <string>
#include <utility>

#include "linnet/types.h"

namespace linnet {
namespace {

constexpr std::array<std::pair<Activation, std::string_view>, 8> names{{
    {Activation::none, "none"},
    {Activation::relu, "relu"},
    {Activation::relu6, "relu6"},
    {Activation::hard_swish, "hard_swish"},
    {Activation::hard_sigmoid, "hard_sigmoid"},
    {Activation::silu, "silu"},
    {Activation::sigmoid, "sigmoid"},
    {Activation::gelu, "gelu"},
}};

}  // namespace

std::string_view to_string(Activation activation) {
  for (const auto& [value, name] : names) {
    if (value == activation) return name;
  }
  throw std::invalid_argument("activation number " + std::to_string(static_cast<int>(activation)) + " does not exist");
}

Activation activation_from_string(std::string_view text) {
  std::string known;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    known += known.empty() ? "" : ", ";
    known += name;
  }
  throw std::invalid_argument("unknown activation \"" + std::string(text) + "\"; known are " + known);
}

}  // namespace linnet
