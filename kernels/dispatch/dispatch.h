// How a kernel family finds its implementation on this CPU.
//
// A family `foo` has, in kernels/foo/foo.h, a table of function pointers `FooKernels` and, for each line of
// kernels/foo/variants.inc, one such table `<isa>::foo_kernels` in a file named after the instruction set.
#pragma once

#include <span>
#include <string_view>

#include "kernels/dispatch/built_isas.h"
#include "linnet/cpu.h"

namespace linnet::kernels {

/// One entry of a family's list of implementations.
template <class Kernels>
struct Variant {
  Isa isa;
  const Kernels* kernels;
};

bool is_supported(Isa isa);

/// The best supported instruction set for an empty request, else the one of that name. Throws std::runtime_error, with
/// a list of what this CPU has, if the request is unknown or not supported here.
Isa choose_isa(std::string_view request);

/// The entry for selected_isa(). A family need not have every instruction set: the list is best first, and the first
/// entry at or below the selected one is taken; `scalar` is always last.
template <class Kernels>
const Variant<Kernels>& select_variant(std::span<const Variant<Kernels>> variants) {
  const Isa limit = selected_isa();
  bool reached = false;
  for (const Variant<Kernels>& variant : variants) {
    reached = reached || static_cast<int>(variant.isa) <= static_cast<int>(limit);
    if (reached && is_supported(variant.isa)) return variant;
  }
  return variants.back();
}

template <class Kernels>
const Kernels& select(std::span<const Variant<Kernels>> variants) {
  return *select_variant(variants).kernels;
}

}  // namespace linnet::kernels
