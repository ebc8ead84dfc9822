// The cores, and the clusters of those that are alike.
#pragma once

#include "benches/machine/files.h"

namespace linnet::bench {

struct Cluster {
  std::string core;  ///< "Cortex-A72", "AMD EPYC"; empty if unknown
  std::vector<int> cpus;
  double max_mhz = 0;   ///< 0 if unknown
  double capacity = 0;  ///< relative speed, by the kernel's scheduler; 0 if unknown
};

/// Of the cores that are online, the fastest cluster first.
std::vector<Cluster> read_clusters(const SystemFiles& files);

/// {0, 1, 2, 5} -> "0-2,5"
std::string cpu_list_text(const std::vector<int>& cpus);

/// "0-2,5" -> {0, 1, 2, 5}. Throws linnet::Error for anything else.
std::vector<int> parse_cpu_list(const std::string& text);

/// The CPUs that this process may run on.
std::vector<int> allowed_cpus();

/// Keeps this thread, and those that it will start, on these CPUs. Throws linnet::Error if the system refuses.
void stay_on(const std::vector<int>& cpus);

}  // namespace linnet::bench
