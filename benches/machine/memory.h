// Memory: what is there, and what this process has used.
#pragma once

#include "benches/machine/files.h"

namespace linnet::bench {

/// Bytes that a program can still allocate without swapping: the kernel's estimate, less where control groups (version
/// 1 or 2) limit this process further. Nothing if unknown.
std::optional<double> available_memory(const SystemFiles& files);

/// The most memory that this process has had since the last reset, in bytes; 0 if unknown.
double peak_memory();
/// Begins anew, where the kernel (4.0 and later) lets it.
void reset_peak_memory();

}  // namespace linnet::bench
