#include "benches/bench_models/conditions.h"

#include "benches/bench_models/interrupt.h"
#include "benches/machine/cores.h"
#include "benches/machine/thermal.h"
#include "linnet/error.h"

namespace linnet::bench {

std::vector<int> cpus_of(const std::string& affinity, const SystemFiles& files) {
  if (affinity != "big" && affinity != "little") return parse_cpu_list(affinity);
  const std::vector<Cluster> clusters = read_clusters(files);
  if (clusters.empty()) throw Error("--affinity " + affinity + ": the system does not list its cores");
  if (affinity == "big") return clusters.front().cpus;
  if (clusters.size() == 1) throw Error("--affinity little: all cores are alike here");
  return clusters.back().cpus;
}

void cool_down(double seconds, const Machine& machine, const std::optional<double>& celsius) {
  const std::optional<Thermometer> thermometer = find_thermometer(machine.files);
  constexpr double step = 0.5, near = 1;
  for (; seconds > 0 && !interrupted(); seconds -= step) {
    const std::optional<double> now = read_temperature(machine.files, thermometer);
    if (celsius && now && *now <= *celsius + near) return;
    sleep_seconds(std::min(seconds, step));
  }
}

}  // namespace linnet::bench
