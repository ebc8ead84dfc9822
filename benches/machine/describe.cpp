#include "benches/machine/describe.h"

#include <iomanip>
#include <sstream>

#include "benches/machine/clock.h"
#include "benches/machine/thermal.h"

namespace linnet::bench {
namespace {

constexpr const char* missing = "not readable";

std::string kilobytes(std::size_t bytes) { return bytes == 0 ? "unknown" : std::to_string(bytes / 1024) + " KB"; }

std::string joined(const std::vector<std::string>& words, const std::string& if_none) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? if_none : text;
}

std::string isa_text() {
  std::string text(to_string(selected_isa()));
  text += " (available:";
  for (const Isa isa : supported_isas()) text += " " + std::string(to_string(isa));
  return text + ")";
}

/// "4 x Cortex-A72 (cpu 0-3), up to 1800 MHz"
std::string cluster_text(const Cluster& cluster) {
  std::ostringstream text;
  text << cluster.cpus.size() << " x " << (cluster.core.empty() ? "unknown core" : cluster.core) << " (cpu "
       << cpu_list_text(cluster.cpus) << ")";
  if (cluster.max_mhz > 0) text << ", up to " << std::fixed << std::setprecision(0) << cluster.max_mhz << " MHz";
  return text.str();
}

std::string clock_text(const Machine& machine, const std::vector<int>& cpus) {
  const std::vector<CoreClock> clocks = read_clocks(machine, cpus);
  if (clocks.empty()) return missing;
  std::ostringstream text;
  text << std::fixed << std::setprecision(0);
  for (const CoreClock& clock : clocks) text << clock.mhz << ' ';
  text << "MHz now" << (firmware_clock_mhz(machine) ? " (measured by the firmware)" : "");
  return text.str();
}

std::string temperature_text(const SystemFiles& files) {
  const std::optional<Thermometer> thermometer = find_thermometer(files);
  const std::optional<double> celsius = read_temperature(files, thermometer);
  if (!celsius) return missing;
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << *celsius << " C (" << thermometer->name << ")";
  return text.str();
}

std::string throttling_text(const Throttling& throttling) {
  if (throttling.sources.empty()) return missing;
  std::ostringstream text;
  text << joined(throttling.now, "none") << " now";
  if (!throttling.since_boot.empty()) text << "; since boot: " << joined(throttling.since_boot, "");
  if (throttling.events > 0)
    text << "; " << std::fixed << std::setprecision(0) << throttling.events << " events since boot";
  text << " (" << joined(throttling.sources, "") << ")";
  return text.str();
}

}  // namespace

Description describe(const Machine& machine, const std::vector<int>& cpus) {
  const EnergySource energy = find_energy_source(machine.files);
  const std::optional<Thermometer> thermometer = find_thermometer(machine.files);
  return {.board = read_board(machine.files),
          .clusters = read_clusters(machine.files),
          .governors = read_governors(machine.files, cpus),
          .thermometer = thermometer ? thermometer->name : "",
          .energy_source = energy.sensors.empty() ? "" : energy.name,
          .throttling = read_throttling(machine)};
}

std::string describe_text(const Machine& machine, const std::vector<int>& cpus, const CpuInfo& cpu) {
  const Description found = describe(machine, cpus);
  const EnergySource energy = find_energy_source(machine.files);
  std::ostringstream text;
  text << "board:    " << (found.board.name.empty() ? missing : found.board.name) << '\n';
  text << "soc:      " << (found.board.soc.empty() ? missing : found.board.soc) << '\n';
  text << "cpu:      " << cpu.name << '\n';
  text << "isa:      " << isa_text() << '\n';
  text << "caches:   L1d " << kilobytes(cpu.l1d_bytes) << ", L2 " << kilobytes(cpu.l2_bytes) << ", L3 "
       << kilobytes(cpu.l3_bytes) << '\n';
  text << "cores:    " << cpu.logical_cores << " logical, " << cpu.physical_cores << " physical, " << cpu.big_cores
       << " big, " << cpu.usable_cores << " usable at once\n";
  for (const Cluster& cluster : found.clusters) text << "cluster:  " << cluster_text(cluster) << '\n';
  text << "clock:    " << clock_text(machine, cpus) << '\n';
  text << "governor: " << joined(found.governors, missing) << '\n';
  text << "heat:     " << temperature_text(machine.files) << '\n';
  text << "throttle: " << throttling_text(found.throttling) << '\n';
  text << "energy:   " << (energy.sensors.empty() ? std::string(missing) + ": " : "") << energy.name << '\n';
  return text.str();
}

}  // namespace linnet::bench
