// The files that torch.save writes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "training/weights/pickle.h"

namespace linnet::training {

/// What was saved, and the raw bytes of a storage by its key.
struct TorchFile {
  pickle::Value root;
  std::function<std::vector<char>(const pickle::Storage& storage)> bytes_of;
};

/// Bytes of one element: 4 for "FloatStorage".
std::size_t element_size(const std::string& storage_type);

bool is_zip(std::span<const char> beginning);
bool is_legacy_torch(std::span<const char> beginning);

/// A zip archive: <folder>/data.pkl, and <folder>/data/<key> for each storage.
TorchFile read_torch_zip(const std::string& path);

/// A magic number, a version, facts on the system, what was saved, the keys of the storages: five pickles; then the
/// storages, each after its number of elements. `bytes` must outlive the result.
TorchFile read_legacy_torch(std::span<const char> bytes, const std::string& path);

}  // namespace linnet::training
