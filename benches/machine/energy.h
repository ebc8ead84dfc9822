// Energy: counters (RAPL), or power sensors (INA chips, Jetson's rails) read again and again.
#pragma once

#include "benches/machine/files.h"

namespace linnet::bench {

/// What measures the most of the machine: the board's input, else processor packages, else all rails that were found.
struct EnergySource {
  struct Sensor {
    std::string path, current_path;  ///< `current_path`: power is the product of both; else empty
    double scale = 1;                ///< to joules (counters) or watts
    double range = 0;                ///< where a counter begins anew, in joules
  };
  std::string name;             ///< "VDD_IN (ina3221)", "RAPL package-0"; of missing ones why
  std::vector<Sensor> sensors;  ///< to be added up; empty: there is none
  bool counts_energy = false;   ///< else power
};

EnergySource find_energy_source(const SystemFiles& files);

/// Adds up energy between readings.
class EnergyMeter {
 public:
  EnergyMeter(const SystemFiles& files, EnergySource source);
  const EnergySource& source() const { return source_; }
  /// To be called at the begin, at the end and some times between; `seconds` of any clock that does not go backwards.
  void read(double seconds);
  /// Between the first reading and the last; nothing if there is no source or a reading failed.
  std::optional<double> joules() const;

 private:
  std::optional<double> value(const EnergySource::Sensor& sensor) const;

  const SystemFiles& files_;
  EnergySource source_;
  std::vector<double> last_;
  double last_seconds_ = 0, joules_ = 0;
  bool failed_ = false;
};

}  // namespace linnet::bench
