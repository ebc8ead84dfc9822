#include "benches/bench_models/machine.h"

#include <fstream>
#include <sstream>

#include "linnet/cpu.h"

namespace linnet::bench {
namespace {

/// The first line of a file of the first core's clock, or nothing.
std::string read_clock(const char* file) {
  std::ifstream stream(std::string("/sys/devices/system/cpu/cpu0/cpufreq/") + file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::string clock() {
  const std::string khz = read_clock("scaling_cur_freq");
  return khz.empty() ? "not readable" : khz + " kHz";
}

std::string governor() {
  const std::string name = read_clock("scaling_governor");
  return name.empty() ? "not readable" : name;
}

std::string kilobytes(std::size_t bytes) { return bytes == 0 ? "unknown" : std::to_string(bytes / 1024) + " KB"; }

}  // namespace

std::string describe_machine() {
  const CpuInfo& cpu = cpu_info();
  std::ostringstream text;
  text << "cpu:      " << cpu.name << '\n';
  text << "isa:      " << to_string(selected_isa()) << " (available:";
  for (const Isa isa : supported_isas()) text << ' ' << to_string(isa);
  text << ")\n";
  text << "caches:   L1d " << kilobytes(cpu.l1d_bytes) << ", L2 " << kilobytes(cpu.l2_bytes) << ", L3 "
       << kilobytes(cpu.l3_bytes) << '\n';
  text << "cores:    " << cpu.logical_cores << " logical, " << cpu.physical_cores << " physical, " << cpu.big_cores
       << " big, " << cpu.usable_cores << " usable at once\n";
  text << "clock:    " << clock() << '\n';
  text << "governor: " << governor() << '\n';
  return text.str();
}

}  // namespace linnet::bench
