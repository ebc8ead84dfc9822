#include "benches/machine/thermal.h"

#include <algorithm>
#include <cctype>

namespace linnet::bench {
namespace {

/// The words of zones' names, nearest to the CPU first. A PMIC's zone may hold a constant (Jetson Nano: 100 degrees).
constexpr const char* zone_words[] = {"cpu", "x86_pkg_temp", "soc", "tj", ""};

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

std::optional<Thermometer> find_thermometer(const SystemFiles& files) {
  for (const std::string word : zone_words) {
    if (word.empty()) {  // no zone of a known name: computers' own sensors first
      for (const std::string& sensor : files.list("/sys/class/hwmon", "hwmon")) {
        const std::string name = files.line(sensor + "/name").value_or("");
        if ((name == "coretemp" || name == "k10temp" || name == "zenpower") && files.number(sensor + "/temp1_input"))
          return Thermometer{name, sensor + "/temp1_input"};
      }
    }
    for (const std::string& zone : files.list("/sys/class/thermal", "thermal_zone")) {
      const std::string type = files.line(zone + "/type").value_or("");
      if (lower_case(type).find(word) == std::string::npos || lower_case(type).find("pmic") != std::string::npos)
        continue;
      if (files.number(zone + "/temp")) return Thermometer{type, zone + "/temp"};
    }
  }
  return std::nullopt;
}

std::optional<double> read_temperature(const SystemFiles& files, const std::optional<Thermometer>& thermometer) {
  const std::optional<double> thousandths = thermometer ? files.number(thermometer->path) : std::nullopt;
  if (!thousandths) return std::nullopt;
  return *thousandths * 1e-3;
}

}  // namespace linnet::bench
