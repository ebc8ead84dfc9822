#include "benches/machine/throttling.h"

#include <algorithm>
#include <cctype>

namespace linnet::bench {
namespace {

void read_firmware(const Machine& machine, Throttling& result) {
  const std::optional<std::uint32_t> bits = firmware_throttle_bits(machine);
  if (!bits) return;
  result.sources.emplace_back("Raspberry Pi firmware");
  constexpr const char* names[] = {"under-voltage", "frequency capped", "throttled", "soft temperature limit"};
  for (unsigned i = 0; i < 4; ++i) {
    if ((*bits >> i & 1) != 0) result.now.emplace_back(names[i]);
    if ((*bits >> (16 + i) & 1) != 0) result.since_boot.emplace_back(names[i]);
  }
}

/// Of the kernel's cooling devices those that slow processors down: "cpufreq-cpu0", "thermal-cpufreq-0", "Processor",
/// "cpu-throttle"; not fans.
void read_cooling_devices(const SystemFiles& files, Throttling& result) {
  bool found = false;
  for (const std::string& device : files.list("/sys/class/thermal", "cooling_device")) {
    const std::string type = files.line(device + "/type").value_or("");
    std::string lower = type;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (lower.find("cpu") == std::string::npos && lower.find("processor") == std::string::npos) continue;
    const std::optional<double> state = files.number(device + "/cur_state");
    if (!state) continue;
    found = true;
    if (*state > 0)
      result.now.push_back(type + " at " + std::to_string(static_cast<int>(*state)) + " of " +
                           files.line(device + "/max_state").value_or("?"));
  }
  if (found) result.sources.emplace_back("cooling devices");
}

/// x86: each core counts how often it was too hot.
void read_processor_counters(const SystemFiles& files, Throttling& result) {
  bool found = false;
  for (const std::string& cpu : files.list("/sys/devices/system/cpu", "cpu")) {
    const std::optional<double> count = files.number(cpu + "/thermal_throttle/core_throttle_count");
    if (!count) continue;
    found = true;
    result.events += *count;
  }
  if (found) result.sources.emplace_back("processor counters");
}

/// Jetson: over-current events.
void read_current_limiter(const SystemFiles& files, Throttling& result) {
  for (const std::string& sensor : files.list("/sys/class/hwmon", "hwmon")) {
    if (files.line(sensor + "/name") != "soctherm_oc") continue;
    result.sources.emplace_back("over-current events");
    for (const std::string& file : files.list(sensor, "oc"))
      if (file.ends_with("_event_cnt")) result.events += files.number(file).value_or(0);
  }
}

}  // namespace

Throttling read_throttling(const Machine& machine) {
  Throttling result;
  read_firmware(machine, result);
  read_cooling_devices(machine.files, result);
  read_processor_counters(machine.files, result);
  read_current_limiter(machine.files, result);
  return result;
}

}  // namespace linnet::bench
