// What this CPU is, and which instruction set the kernels use on it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace linnet {

/// Instruction sets that Linnet has kernels for; `scalar` is the plain C++ reference and always there.
enum class Isa { scalar, sse2, avx2, avx512, neon, neon32 };

std::string_view to_string(Isa isa);

/// The instruction sets that this build holds and this CPU can run, best first; the last one is `scalar`.
const std::vector<Isa>& supported_isas();

/// The instruction set in use: the best supported one, or the value of the environment variable LINNET_ISA.
/// Chosen once, at the first call. Throws std::runtime_error if LINNET_ISA names an instruction set that is unknown
/// or not supported here; the message lists what this CPU has.
Isa selected_isa();

struct CpuInfo {
  std::string name;           ///< "AMD EPYC 7B13", or the machine name where /proc/cpuinfo has none
  int logical_cores = 1;      ///< that this process may run on (affinity mask respected)
  int physical_cores = 1;     ///< of these, without SMT siblings
  int big_cores = 1;          ///< of these, the fastest cluster of a mixed CPU; = physical_cores elsewhere
  int usable_cores = 1;       ///< logical cores that may be busy all the time: fewer where a container has a quota of
                              ///< processor time (cgroup v1 or v2), rounded down
  std::size_t l1d_bytes = 0;  ///< per core; 0 if unknown
  std::size_t l2_bytes = 0;   ///< per core (or cluster); 0 if unknown
  std::size_t l3_bytes = 0;   ///< 0 if unknown or absent
};

/// Read once from the operating system.
const CpuInfo& cpu_info();

}  // namespace linnet
