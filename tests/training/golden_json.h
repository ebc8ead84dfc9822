// The golden JSON files, where they are found.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "golden/golden.h"
#include "linnet/tensor.h"

namespace linnet::training::testing {

/// golden_data/`relative` of the shared folder, else the copy in this repository.
inline std::optional<std::filesystem::path> golden_data_file(const std::string& relative) {
  for (const std::string& root : {golden::shared_dir(), std::string(LINNET_TEST_DATA_DIR)}) {
    const std::filesystem::path file = std::filesystem::path(root) / "golden_data" / relative;
    if (std::filesystem::exists(file)) return file;
  }
  return std::nullopt;
}

inline nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream stream(path);
  return nlohmann::json::parse(stream);
}

/// {"shape", "data"}
inline Tensor tensor_from(const nlohmann::json& json) {
  return Tensor::from(json.at("shape").get<Shape>(), json.at("data").get<std::vector<float>>());
}

}  // namespace linnet::training::testing
