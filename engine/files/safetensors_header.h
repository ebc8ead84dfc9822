// The JSON header of a safetensors file.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace linnet::files {

struct TensorEntry {
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::array<std::uint64_t, 2> range{};  ///< first byte and end, from the start of the data
};

struct SafetensorsHeader {
  std::map<std::string, TensorEntry> tensors;
  std::map<std::string, std::string> metadata;
};

/// Accepts exactly what the format allows: an object of entries with dtype, shape and data_offsets, and `__metadata__`
/// with strings. Ranges are taken as they are. Throws linnet::Error that names `file` and the key or byte offset.
SafetensorsHeader parse_header(const std::string& text, const std::string& file);

}  // namespace linnet::files
