#include <benchmark/benchmark.h>
#include <unistd.h>

#include <ctime>

#include "benches/bench_models/json.h"
#include "linnet/cpu.h"

namespace linnet::bench {
namespace {

std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &local)};
}

std::string host() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

Json context(const Description& machine) {
  const benchmark::CPUInfo& cpu = benchmark::CPUInfo::Get();
  Json caches = Json::array();
  for (const auto& cache : cpu.caches)
    caches.push_back(
        {{"type", cache.type}, {"level", cache.level}, {"size", cache.size}, {"num_sharing", cache.num_sharing}});
  Json governors = machine.governors;
  return {{"date", date()},
          {"host_name", host()},
          {"executable", "bench_models"},
          {"num_cpus", cpu.num_cpus},
          {"mhz_per_cpu", static_cast<int>(cpu.cycles_per_second / 1e6)},
          {"cpu_scaling_enabled", cpu.scaling == benchmark::CPUInfo::ENABLED},
          {"caches", caches},
          {"load_avg", cpu.load_avg},
          {"library_build_type", "release"},
          {"board", machine.board.name},
          {"soc", machine.board.soc},
          {"cpu", cpu_info().name},
          {"isa", std::string(to_string(selected_isa()))},
          {"governors", governors}};
}

std::string name_of(const Row& row) {
  return row.model + "/" + row.precision + "/threads:" + std::to_string(row.threads) +
         "/batch:" + std::to_string(row.batch);
}

Json entry(const Row& row, std::size_t index, const std::string& aggregate, double real_ms, double cpu_ms) {
  Json json = {{"name", name_of(row) + (aggregate.empty() ? "" : "_" + aggregate)},
               {"family_index", index},
               {"per_family_instance_index", 0},
               {"run_name", name_of(row)},
               {"run_type", aggregate.empty() ? "iteration" : "aggregate"},
               {"repetitions", 1},
               {"threads", row.threads}};
  if (aggregate.empty()) {
    json["repetition_index"] = 0;
  } else {
    json["aggregate_name"] = aggregate;
    json["aggregate_unit"] = "time";
  }
  json["iterations"] = row.ms.count;
  json["real_time"] = real_ms;
  json["cpu_time"] = cpu_ms;
  json["time_unit"] = "ms";
  json["items_per_second"] = row.images_per_s();
  return json;
}

}  // namespace

std::string to_benchmark_json(const std::vector<Row>& rows, const Description& machine) {
  Json entries = Json::array();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const double cpu_ms = 1e3 * row.conditions.load.own / row.ms.count;
    entries.push_back(entry(row, i, "", row.ms.mean, cpu_ms));
    entries.push_back(entry(row, i, "mean", row.ms.mean, cpu_ms));
    entries.push_back(entry(row, i, "median", row.ms.p50, cpu_ms));
    entries.push_back(entry(row, i, "stddev", row.ms.deviation, 0));
  }
  const Json all = {{"context", context(machine)}, {"benchmarks", entries}};
  return all.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace linnet::bench
