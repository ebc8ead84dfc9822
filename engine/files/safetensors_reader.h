#pragma once

#include "engine/files/byte_source.h"
#include "linnet/safetensors.h"

namespace linnet::files {

/// As linnet::read_safetensors. Tensors share the source's values where it offers them and they are aligned float32.
SafetensorsFile read_safetensors(const ByteSource& source, const std::string& name);

}  // namespace linnet::files
