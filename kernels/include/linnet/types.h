// The few types that every room shares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace linnet {

/// Counts and strides, in elements. Signed, as wide as a pointer, so that it mixes with pointer arithmetic.
using Index = std::ptrdiff_t;

/// Activation functions of the eight families, as PyTorch defines them.
enum class Activation : std::uint8_t {
  none,
  relu,          ///< max(x, 0)
  relu6,         ///< min(max(x, 0), 6)
  hard_swish,    ///< x * relu6(x + 3) / 6
  hard_sigmoid,  ///< relu6(x + 3) / 6
  silu,          ///< x * sigmoid(x)
  sigmoid,       ///< 1 / (1 + exp(-x))
  gelu,          ///< x * (1 + erf(x / sqrt(2))) / 2, the exact form
};

/// "relu6", "hard_swish", ...; the names used in model files.
std::string_view to_string(Activation activation);

/// The inverse of to_string. Throws std::invalid_argument that names the text and lists the known names.
Activation activation_from_string(std::string_view text);

}  // namespace linnet
