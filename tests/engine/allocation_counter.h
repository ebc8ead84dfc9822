#pragma once

#include <cstddef>

namespace linnet::test {

/// Allocations of the whole program so far: operator new everywhere, malloc too where it can be replaced.
std::size_t allocation_count();

/// Whether malloc is counted.
bool counts_malloc();

}  // namespace linnet::test
