// Watches the machine while something is measured.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "benches/machine/clock.h"
#include "benches/machine/energy.h"
#include "benches/machine/load.h"
#include "benches/machine/thermal.h"
#include "benches/machine/throttling.h"

namespace linnet::bench {

struct Span {
  double least = 0, mean = 0, most = 0;
  int count = 0;
  void add(double value);
};

/// What the machine was like between start and stop.
struct Conditions {
  double seconds = 0;
  int threads = 1;
  std::vector<int> cpus;         ///< that the threads might run on
  std::map<int, Span> core_mhz;  ///< by CPU; empty if clocks cannot be read
  Span mhz;                      ///< mean clock of the `threads` fastest cores, per sample; count 0: unknown
  double max_mhz = 0;            ///< that those cores can have; 0: unknown
  std::optional<double> celsius_before, celsius_after, celsius_most;
  Throttling before, after;
  std::vector<std::string> throttled;  ///< everything that held the clock back in any sample
  std::optional<double> joules;
  Load load;
};

/// What makes a figure doubtful, one line each: "clock fell from 1800 to 1000 MHz".
std::vector<std::string> marks(const Conditions& conditions);

class Monitor {
 public:
  /// @param period seconds between samples
  Monitor(const Machine& machine, std::vector<int> cpus, int threads, double period = 0.2);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  void start();
  Conditions stop();

  /// One sample, as the thread takes them between start() and stop().
  void sample(double seconds);

 private:
  void loop();

  const Machine& machine_;
  const double period_;
  const std::optional<Thermometer> thermometer_;
  EnergyMeter energy_;
  Conditions conditions_;
  Load begin_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace linnet::bench
