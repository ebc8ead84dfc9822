// The files of the pages, which lie inside the program.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace linnet::tools {

/// The bytes of "/run.js"; "/" is index.html, "/run" is run.html. Nothing if there is no such file.
std::optional<std::string_view> find_page(const std::string& path);

const char* content_type(const std::string& path);

}  // namespace linnet::tools
