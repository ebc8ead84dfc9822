// The safetensors file format: https://github.com/huggingface/safetensors (format section of its README).
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "linnet/model.h"

namespace linnet {

struct SafetensorsFile {
  Weights tensors;                              ///< F32 as stored; I64 scalars converted; F16 and BF16 widened
  std::map<std::string, std::string> metadata;  ///< the `__metadata__` object
};

/// Strict: throws linnet::Error that names the file and the key or byte offset for a truncated file, an oversized or
/// malformed header, ranges that overlap, leave holes, are misaligned or do not fit shape and dtype, duplicate keys,
/// and dtypes that Linnet does not read.
SafetensorsFile read_safetensors(const std::string& path);

/// The same for a file's bytes in memory; `name` stands for the path in messages.
SafetensorsFile parse_safetensors(const void* data, std::size_t size, const std::string& name);

/// Keys that end in "num_batches_tracked" are written as int64 and come first in the data, for alignment; the rest
/// follows in the order of the map. Atomic as save_model.
void write_safetensors(const std::string& path, const Weights& tensors,
                       const std::map<std::string, std::string>& metadata);

/// Writes bytes beside `path`, syncs and renames. Throws linnet::Error that names the path and the system's reason
/// (no space, no permission); the old file, if any, is then untouched and nothing is left beside it.
void write_file_atomically(const std::string& path, const void* data, std::size_t size);

}  // namespace linnet
