// The switch for passes of the compiler, the same for every command that compiles.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace linnet::tools {

/// --disable-pass NAME[,NAME...], as often as one likes.
void add_pass_option(CLI::App& command, std::vector<std::string>& disabled_passes);

}  // namespace linnet::tools
