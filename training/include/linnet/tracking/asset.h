// What a file of a run is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace linnet::tracking {

/// Equal contents are kept once, whatever they are called.
struct AssetInfo {
  std::string kind = "asset";  ///< "asset", "image", "histogram", "confusion-matrix", "model", "html", "curve"
  std::string name = {};       ///< with extension, may hold "/"
  std::optional<std::int64_t> step = std::nullopt, epoch = std::nullopt;
  std::string metadata = "{}";  ///< a JSON object
};

/// The kind that the name's extension tells: .html, .png, .jpg, .jpeg, .safetensors; "asset" for others.
std::string kind_by_extension(const std::string& name);

}  // namespace linnet::tracking
