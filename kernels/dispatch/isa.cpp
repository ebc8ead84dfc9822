#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <stdexcept>

#include "kernels/common/enum_names.h"
#include "kernels/dispatch/dispatch.h"

#if defined(__arm__)
#include <sys/auxv.h>
#endif

namespace linnet {
namespace {

constexpr kernels::EnumNames<Isa, 6> names{{
    {Isa::scalar, "scalar"},
    {Isa::sse2, "sse2"},
    {Isa::avx2, "avx2"},
    {Isa::avx512, "avx512"},
    {Isa::neon, "neon"},
    {Isa::neon32, "neon32"},
}};

/// Whether this CPU and its operating system have it.
bool is_present(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    // The compiler's run-time check reads CPUID and, through XGETBV, whether the operating system saves the registers.
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma");
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::sse2:
      return true;
#elif defined(__aarch64__)
    case Isa::neon:
      return true;
#elif defined(__arm__)
    case Isa::neon32:
      return (getauxval(AT_HWCAP) & HWCAP_ARM_NEON) != 0;
#endif
    case Isa::scalar:
      return true;
    default:
      return false;
  }
}

std::vector<Isa> detect() {
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  constexpr Isa built[] = {
#define LINNET_VARIANT(isa) Isa::isa,
      LINNET_BUILT_VARIANT(avx512) LINNET_BUILT_VARIANT(avx2) LINNET_BUILT_VARIANT(sse2) LINNET_BUILT_VARIANT(neon)
          LINNET_BUILT_VARIANT(neon32) LINNET_VARIANT(scalar)
#undef LINNET_VARIANT
  };
  std::vector<Isa> isas;
  std::copy_if(std::begin(built), std::end(built), std::back_inserter(isas), is_present);
  return isas;
}

}  // namespace

std::string_view to_string(Isa isa) { return kernels::name_of(names, isa, "instruction set"); }

const std::vector<Isa>& supported_isas() {
  static const std::vector<Isa> isas = detect();
  return isas;
}

Isa selected_isa() {
  static const Isa isa = [] {
    const char* request = std::getenv("LINNET_ISA");
    return kernels::choose_isa(request == nullptr ? "" : request);
  }();
  return isa;
}

namespace kernels {

bool is_supported(Isa isa) {
  for (const Isa supported : supported_isas()) {
    if (supported == isa) return true;
  }
  return false;
}

Isa choose_isa(std::string_view request) {
  if (request.empty()) return supported_isas().front();
  std::string supported;
  for (const Isa isa : supported_isas()) {
    if (to_string(isa) == request) return isa;
    supported += supported.empty() ? "" : ", ";
    supported += to_string(isa);
  }
  bool known = false;
  for (const auto& [isa, name] : names) known = known || name == request;
  throw std::runtime_error("LINNET_ISA=" + std::string(request) + ": " +
                           (known ? "not supported by this CPU or build" : "unknown instruction set") +
                           "; this CPU has " + supported);
}

}  // namespace kernels
}  // namespace linnet
