// The least time that this CPU could take: its multiply-adders never wait, and memory is only waited for.
#pragma once

#include <cstddef>

#include "linnet/cpu.h"

namespace linnet::bench {

/// GB/s, read and written together, of copying within a working set of about so many bytes: the best of some rounds.
double copy_speed(std::size_t working_set);

/// The larger of operations / fma_peak and bytes / copy_speed(bytes), with one thread; each is measured once. 0 for an
/// instruction set without a measured peak.
double roofline_seconds(Isa isa, double operations, double bytes);

}  // namespace linnet::bench
