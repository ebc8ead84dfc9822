// For error messages that name what may have been meant.
#pragma once

#include <cstddef>
#include <string_view>

namespace linnet {

/// The number of insertions, deletions and replacements of letters that turn one text into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace linnet
