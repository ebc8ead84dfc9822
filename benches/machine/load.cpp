#include "benches/machine/load.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <sstream>

namespace linnet::bench {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

Load Load::operator-(const Load& earlier) const {
  Load difference = *this;
  difference.wall -= earlier.wall;
  difference.own -= earlier.own;
  difference.preempted -= earlier.preempted;
  difference.busy -= earlier.busy;
  difference.stolen -= earlier.stolen;
  return difference;
}

Load read_load(const SystemFiles& files, const std::vector<int>& cpus) {
  Load load;
  load.wall = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  load.own = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  load.preempted = usage.ru_nivcsw;

  // proc(5), /proc/stat: cpuN user nice system idle iowait irq softirq steal ..., in ticks.
  const double tick = 1.0 / static_cast<double>(std::max(1L, sysconf(_SC_CLK_TCK)));
  std::istringstream stat(files.text("/proc/stat").value_or(""));
  for (std::string line; std::getline(stat, line);) {
    if (!line.starts_with("cpu") || line.starts_with("cpu ")) continue;
    std::istringstream fields(line.substr(3));
    int cpu = 0;
    double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0;
    fields >> cpu >> user >> nice >> system >> idle >> wait >> irq >> softirq >> steal;
    if (!fields || std::find(cpus.begin(), cpus.end(), cpu) == cpus.end()) continue;
    load.machine_known = true;
    load.busy += tick * (user + nice + system + irq + softirq);
    load.stolen += tick * steal;
  }
  return load;
}

}  // namespace linnet::bench
