// How hot the CPU is.
#pragma once

#include "benches/machine/files.h"

namespace linnet::bench {

struct Thermometer {
  std::string name;  ///< "cpu-thermal", "coretemp"
  std::string path;  ///< thousandths of a degree Celsius
};

/// The one nearest to the CPU: a thermal zone of that name, a computer's package, the chip, else the first zone.
std::optional<Thermometer> find_thermometer(const SystemFiles& files);

/// Degrees Celsius.
std::optional<double> read_temperature(const SystemFiles& files, const std::optional<Thermometer>& thermometer);

}  // namespace linnet::bench
