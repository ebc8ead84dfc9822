#include "benches/machine/cores.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>

namespace linnet::bench {
namespace {

/// Implementer 0x41 (Arm) in the main identification register; part numbers: Arm's technical reference manuals.
const std::map<unsigned long, std::string> arm_parts = {
    {0xc05, "Cortex-A5"},    {0xc07, "Cortex-A7"},   {0xc08, "Cortex-A8"},   {0xc09, "Cortex-A9"},
    {0xc0d, "Cortex-A17"},   {0xc0e, "Cortex-A17"},  {0xc0f, "Cortex-A15"},  {0xd01, "Cortex-A32"},
    {0xd03, "Cortex-A53"},   {0xd04, "Cortex-A35"},  {0xd05, "Cortex-A55"},  {0xd07, "Cortex-A57"},
    {0xd08, "Cortex-A72"},   {0xd09, "Cortex-A73"},  {0xd0a, "Cortex-A75"},  {0xd0b, "Cortex-A76"},
    {0xd0c, "Neoverse-N1"},  {0xd0d, "Cortex-A77"},  {0xd40, "Neoverse-V1"}, {0xd41, "Cortex-A78"},
    {0xd42, "Cortex-A78AE"}, {0xd44, "Cortex-X1"},   {0xd46, "Cortex-A510"}, {0xd47, "Cortex-A710"},
    {0xd48, "Cortex-X2"},    {0xd49, "Neoverse-N2"}, {0xd4b, "Cortex-A78C"}, {0xd4d, "Cortex-A715"},
    {0xd4e, "Cortex-X3"},    {0xd4f, "Neoverse-V2"}, {0xd80, "Cortex-A520"}, {0xd81, "Cortex-A720"}};

/// The kind of core of each processor, from /proc/cpuinfo.
std::map<int, std::string> core_names(const SystemFiles& files) {
  std::map<int, std::string> names;
  std::istringstream text(files.text("/proc/cpuinfo").value_or(""));
  int processor = 0;
  for (std::string line; std::getline(text, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    const std::size_t begin = line.find_first_not_of(' ', colon + 1);
    const std::string value = begin == std::string::npos ? "" : line.substr(begin);
    if (key == "processor") processor = std::atoi(value.c_str());
    if (key == "model name") names[processor] = value;
    if (key == "CPU part") {
      const auto part = arm_parts.find(std::strtoul(value.c_str(), nullptr, 16));
      names[processor] = part == arm_parts.end() ? "part " + value : part->second;
    }
  }
  return names;
}

/// Cores of one cluster may differ a little in their top clock.
constexpr double same_clock = 0.9;

bool alike(const Cluster& cluster, const Cluster& core) {
  return cluster.core == core.core && cluster.capacity == core.capacity &&
         std::min(cluster.max_mhz, core.max_mhz) >= same_clock * std::max(cluster.max_mhz, core.max_mhz);
}

}  // namespace

std::vector<Cluster> read_clusters(const SystemFiles& files) {
  const std::map<int, std::string> names = core_names(files);
  std::vector<Cluster> clusters;
  for (const std::string& cpu : files.list("/sys/devices/system/cpu", "cpu")) {
    const std::string digits = cpu.substr(cpu.rfind("cpu") + 3);
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) continue;
    if (files.number(cpu + "/online").value_or(1) == 0) continue;
    const int number = std::atoi(digits.c_str());
    const auto name = names.find(number);
    const Cluster core{.core = name == names.end() ? "" : name->second,
                       .cpus = {number},
                       .max_mhz = files.number(cpu + "/cpufreq/cpuinfo_max_freq").value_or(0) * 1e-3,
                       .capacity = files.number(cpu + "/cpu_capacity").value_or(0)};
    const auto same = std::find_if(clusters.begin(), clusters.end(), [&](const Cluster& c) { return alike(c, core); });
    if (same == clusters.end()) {
      clusters.push_back(core);
    } else {
      same->cpus.push_back(number);
      same->max_mhz = std::max(same->max_mhz, core.max_mhz);
    }
  }
  std::stable_sort(clusters.begin(), clusters.end(), [](const Cluster& a, const Cluster& b) {
    return a.capacity != b.capacity ? a.capacity > b.capacity : a.max_mhz > b.max_mhz;
  });
  return clusters;
}

}  // namespace linnet::bench
