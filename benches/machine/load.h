// Who used the processors: this process, others, the hypervisor.
#pragma once

#include "benches/machine/files.h"

namespace linnet::bench {

/// Counters at one moment; seconds since some beginning.
struct Load {
  double wall = 0;
  double own = 0;               ///< processor time of this process
  long preempted = 0;           ///< how often one of its threads had to make way
  bool machine_known = false;   ///< the next two could be read
  double busy = 0, stolen = 0;  ///< processor time of all processes, and of other virtual machines
  Load operator-(const Load& earlier) const;
};

/// `cpus`: those that `busy` and `stolen` count.
Load read_load(const SystemFiles& files, const std::vector<int>& cpus);

}  // namespace linnet::bench
