#include "benches/machine/clock.h"

#include <algorithm>

namespace linnet::bench {
namespace {

std::string cpufreq(int cpu, const char* file) {
  return "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpufreq/" + file;
}

}  // namespace

std::vector<CoreClock> read_clocks(const Machine& machine, const std::vector<int>& cpus) {
  const std::optional<double> measured = firmware_clock_mhz(machine);
  std::vector<CoreClock> clocks;
  for (const int cpu : cpus) {
    const std::optional<double> khz = machine.files.number(cpufreq(cpu, "scaling_cur_freq"));
    if (!khz && !measured) continue;
    clocks.push_back({.cpu = cpu,
                      .mhz = measured ? *measured : *khz * 1e-3,
                      .max_mhz = machine.files.number(cpufreq(cpu, "cpuinfo_max_freq")).value_or(0) * 1e-3});
  }
  return clocks;
}

std::vector<std::string> read_governors(const SystemFiles& files, const std::vector<int>& cpus) {
  std::vector<std::string> governors;
  for (const int cpu : cpus) {
    const std::string name = files.line(cpufreq(cpu, "scaling_governor")).value_or("");
    if (!name.empty() && std::find(governors.begin(), governors.end(), name) == governors.end())
      governors.push_back(name);
  }
  return governors;
}

}  // namespace linnet::bench
