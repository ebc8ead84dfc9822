// The networks to measure, by the names that people give them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "linnet/model.h"

namespace linnet::bench {

/// Whether a name is that of a model file: it has a '/' or ends in ".safetensors".
bool is_file(const std::string& name_or_path);

/// Throws linnet::Error for the first name that is no network, with the nearest ones, and for the first file that is
/// missing.
void check_models(const std::vector<std::string>& names_or_paths);

struct OpenModel {
  Model model;
  std::optional<double> load_ms, file_bytes;  ///< of a model file
};

/// An architecture with random weights, or a model file.
OpenModel open_model(const std::string& name_or_path);

}  // namespace linnet::bench
