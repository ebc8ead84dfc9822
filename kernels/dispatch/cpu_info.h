// Reading the machine's description from a file system, which a test can make up.
#pragma once

#include <string>
#include <vector>

#include "linnet/cpu.h"

namespace linnet::kernels {

/// Describes the processors `cpus` by what lies in `root`/proc and `root`/sys. Files that are missing, as in
/// containers and emulators, leave the fields at their defaults: every processor is then a core, every core is big.
CpuInfo read_cpu_info(const std::string& root, const std::vector<int>& cpus);

/// Processors' worth of time that the control groups of this process, version 1 or 2, let it use: a quota of 150 ms in
/// every 100 ms is 1.5. Infinity if nothing limits it.
double cgroup_processors(const std::string& root);

}  // namespace linnet::kernels
