#include <algorithm>
#include <cstdio>

#include "benches/machine/monitor.h"

namespace linnet::bench {
namespace {

// Less than this is noise of the sensors: clocks waver, every system has some threads of its own.
constexpr double clock_fell = 0.95, clock_low = 0.9, cores_taken = 0.1, time_stolen = 0.01, preempted_per_second = 20;
constexpr long fewest_preempted = 5;
// A tick of /proc/stat is 10 ms: shares of shorter runs are chance.
constexpr double shortest_share = 0.5;

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[160];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

}  // namespace

std::vector<std::string> marks(const Conditions& conditions) {
  std::vector<std::string> result;
  const Span& mhz = conditions.mhz;
  if (mhz.count > 0 && mhz.least < clock_fell * mhz.most) {
    result.push_back(format("clock fell from %.0f to %.0f MHz", mhz.most, mhz.least));
  } else if (mhz.count > 0 && mhz.most < clock_low * conditions.max_mhz) {
    result.push_back(format("clock stayed at %.0f of %.0f MHz", mhz.most, conditions.max_mhz));
  }
  for (const std::string& cause : conditions.throttled) result.push_back("throttled: " + cause);
  const double events = conditions.after.events - conditions.before.events;
  if (events > 0) result.push_back(format("throttled: %.0f events counted", events));

  const std::size_t cpus = conditions.cpus.size();
  if (static_cast<std::size_t>(conditions.threads) > cpus)
    result.push_back(format("%d threads on %zu CPU%s", conditions.threads, cpus, cpus == 1 ? "" : "s"));

  const Load& load = conditions.load;
  if (load.preempted >= fewest_preempted && static_cast<double>(load.preempted) > preempted_per_second * load.wall)
    result.push_back(format("preempted %ld times in %.1f s", load.preempted, load.wall));
  if (load.wall < shortest_share) return result;
  const double cores = static_cast<double>(conditions.cpus.size());
  const double others = (load.busy - load.own) / load.wall, stolen = load.stolen / load.wall;
  if (load.machine_known && others + conditions.threads > cores + cores_taken)
    result.push_back(format("other processes kept %.1f of %.0f cores busy", others, cores));
  if (load.machine_known && stolen > time_stolen * cores)
    result.push_back(format("the hypervisor took %.0f %% of the processor time", 100 * stolen / cores));
  return result;
}

}  // namespace linnet::bench
