// Where tensors get their memory.
#pragma once

#include <cstddef>
#include <memory>

namespace linnet {

/// 64-byte aligned, not initialised. Thread-safe. Throws std::bad_alloc.
///
/// Large blocks are kept for reuse when they are released: a training step asks for the same sizes as the step before,
/// and memory fresh from the system would cost a page fault per 4 KiB. Live and kept blocks together never exceed one
/// and a half times the most that was ever live, and nothing is kept once no large block is live.
std::shared_ptr<float> allocate_storage(std::size_t floats);

/// Bytes that are kept for reuse right now.
std::size_t kept_storage_bytes();

}  // namespace linnet
