// The golden JSON files, where they are found.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "golden/golden.h"
#include "linnet/tensor.h"

namespace linnet::training::testing {

/// The copies of golden_data/`relative` that stand in this repository and in the shared folder.
inline std::vector<std::filesystem::path> golden_data_files(const std::string& relative) {
  std::vector<std::filesystem::path> found;
  for (const std::filesystem::path root : {std::string(LINNET_TEST_DATA_DIR), golden::shared_dir()}) {
    const std::filesystem::path file = root / "golden_data" / relative;
    if (std::filesystem::exists(file)) found.push_back(file);
  }
  return found;
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
