#include "benches/machine/energy.h"

#include <algorithm>

namespace linnet::bench {
namespace {

struct Rail {
  std::string label, chip;
  EnergySource::Sensor sensor;
};

/// INA chips as the kernel's hwmon drivers show them: microwatts, or millivolts and milliamperes (ina3221).
std::vector<Rail> hwmon_rails(const SystemFiles& files) {
  std::vector<Rail> rails;
  for (const std::string& chip : files.list("/sys/class/hwmon", "hwmon")) {
    const std::string name = files.line(chip + "/name").value_or("");
    if (!name.starts_with("ina")) continue;
    for (const char* channel : {"1", "2", "3"}) {
      const std::string power = chip + "/power" + channel + "_input", volts = chip + "/in" + channel + "_input";
      const std::string amperes = chip + "/curr" + channel + "_input";
      const std::string label = files.line(chip + "/in" + channel + "_label").value_or(name + "." + channel);
      if (files.number(power)) {
        rails.push_back({label, name, {.path = power, .current_path = "", .scale = 1e-6, .range = 0}});
      } else if (files.number(volts) && files.number(amperes)) {
        rails.push_back({label, name, {.path = volts, .current_path = amperes, .scale = 1e-6, .range = 0}});
      }
    }
  }
  return rails;
}

/// The same chips under NVIDIA's older driver (Jetson Nano, TX2, Xavier): milliwatts.
std::vector<Rail> jetson_rails(const SystemFiles& files) {
  std::vector<Rail> rails;
  for (const std::string& address : files.list("/sys/bus/i2c/drivers/ina3221x")) {
    for (const std::string& device : files.list(address, "iio")) {
      for (const char* channel : {"0", "1", "2"}) {
        const std::string power = device + "/in_power" + channel + "_input";
        const std::optional<std::string> label = files.line(device + "/rail_name_" + channel);
        if (label && files.number(power))
          rails.push_back({*label, "ina3221x", {.path = power, .current_path = "", .scale = 1e-3, .range = 0}});
      }
    }
  }
  return rails;
}

/// What the board draws in all.
bool is_input(const std::string& label) {
  for (const char* name : {"VDD_IN", "POM_5V_IN", "VIN_SYS_5V0", "CV_IN", "SYS_5V_IN"})
    if (label == name) return true;
  return false;
}

/// Intel's and AMD's running average power limits: microjoules. Packages alone: cores and memory are parts of them.
EnergySource rapl(const SystemFiles& files) {
  EnergySource source{.name = "RAPL", .sensors = {}, .counts_energy = true};
  bool refused = false;
  for (const std::string& zone : files.list("/sys/class/powercap", "intel-rapl:")) {
    const std::string name = files.line(zone + "/name").value_or("");
    if (!name.starts_with("package")) continue;
    refused = refused || !files.number(zone + "/energy_uj");
    source.name += (source.sensors.empty() ? " " : ", ") + name;
    source.sensors.push_back({.path = zone + "/energy_uj",
                              .current_path = "",
                              .scale = 1e-6,
                              .range = 1e-6 * files.number(zone + "/max_energy_range_uj").value_or(0)});
  }
  if (refused) return {.name = "RAPL is there, but only root may read it", .sensors = {}, .counts_energy = true};
  return source;
}

}  // namespace

EnergySource find_energy_source(const SystemFiles& files) {
  std::vector<Rail> rails = hwmon_rails(files);
  for (Rail& rail : jetson_rails(files)) rails.push_back(std::move(rail));
  for (const Rail& rail : rails)
    if (is_input(rail.label))
      return {.name = rail.label + " (" + rail.chip + ")", .sensors = {rail.sensor}, .counts_energy = false};
  EnergySource packages = rapl(files);
  if (!packages.sensors.empty() || (rails.empty() && packages.name != "RAPL")) return packages;
  EnergySource all{.name = "", .sensors = {}, .counts_energy = false};
  for (const Rail& rail : rails) {
    all.name += (all.name.empty() ? "" : ", ") + rail.label + " (" + rail.chip + ")";
    all.sensors.push_back(rail.sensor);
  }
  if (rails.empty()) all.name = "no RAPL, INA sensor or Jetson rail";
  return all;
}

EnergyMeter::EnergyMeter(const SystemFiles& files, EnergySource source) : files_(files), source_(std::move(source)) {}

std::optional<double> EnergyMeter::value(const EnergySource::Sensor& sensor) const {
  const std::optional<double> first = files_.number(sensor.path);
  const std::optional<double> second = sensor.current_path.empty() ? 1 : files_.number(sensor.current_path);
  if (!first || !second) return std::nullopt;
  return *first * *second * sensor.scale;
}

void EnergyMeter::read(double seconds) {
  const bool first = last_.empty();
  last_.resize(source_.sensors.size());
  for (std::size_t i = 0; i < source_.sensors.size(); ++i) {
    const std::optional<double> now = value(source_.sensors[i]);
    failed_ = failed_ || !now;
    if (!now) continue;
    if (!first && source_.counts_energy) {
      const double used = *now - last_[i];
      joules_ += used < 0 ? used + source_.sensors[i].range : used;
    } else if (!first) {
      joules_ += (*now + last_[i]) / 2 * (seconds - last_seconds_);
    }
    last_[i] = *now;
  }
  last_seconds_ = seconds;
}

std::optional<double> EnergyMeter::joules() const {
  if (last_.empty() || failed_) return std::nullopt;
  return joules_;
}

}  // namespace linnet::bench
