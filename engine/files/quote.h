#pragma once

#include <string>
#include <string_view>

namespace linnet::files {

/// Text from a file, fit for a one-line message: in quotes, control characters replaced, shortened if long.
std::string in_quotes(std::string_view text);

}  // namespace linnet::files
