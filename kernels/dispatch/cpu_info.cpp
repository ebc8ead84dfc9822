#include "kernels/dispatch/cpu_info.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <thread>

#include "kernels/dispatch/lines.h"

namespace linnet {
namespace kernels {
namespace {

/// The first line of a file, or nothing.
std::string read_line(const std::string& path) {
  std::string line;
  Lines(path).next(line);
  // Device tree strings end in a zero byte.
  while (!line.empty() && (line.back() == '\0' || line.back() == ' ' || line.back() == '\t')) line.pop_back();
  return line;
}

/// A number and its unit, "512K"; 0 if the text is none.
std::size_t parse_size(const std::string& text) {
  std::size_t value = 0;
  std::size_t i = 0;
  for (; i < text.size() && i < 12 && text[i] >= '0' && text[i] <= '9'; ++i) {
    value = value * 10 + static_cast<std::size_t>(text[i] - '0');
  }
  if (i < text.size() && text[i] == 'K') value *= 1024;
  if (i < text.size() && text[i] == 'M') value *= 1024 * 1024;
  return value;
}

/// Boards are named by their device tree, computers by /proc/cpuinfo.
std::string machine_name(const std::string& root) {
  std::string board = read_line(root + "/proc/device-tree/model");
  if (!board.empty()) return board;
  Lines lines(root + "/proc/cpuinfo");
  for (std::string line; lines.next(line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t begin = line.find_first_not_of(" \t", line.find(':') + 1);
    if (line.find(':') != std::string::npos && begin != std::string::npos) return line.substr(begin);
  }
  utsname system{};
  return uname(&system) == 0 ? system.machine : "unknown";
}

void read_caches(const std::string& cpu, CpuInfo& info) {
  for (int i = 0; i < 8; ++i) {
    const std::string cache = cpu + "/cache/index" + std::to_string(i);
    if (read_line(cache + "/type") == "Instruction") continue;
    const std::size_t level = parse_size(read_line(cache + "/level"));
    const std::size_t bytes = parse_size(read_line(cache + "/size"));
    if (level == 1) info.l1d_bytes = bytes;
    if (level == 2) info.l2_bytes = bytes;
    if (level == 3) info.l3_bytes = bytes;
  }
}

/// Cores of one cluster may differ a little in their top clock; those of a smaller cluster are much slower.
constexpr double same_cluster = 0.8;

}  // namespace

CpuInfo read_cpu_info(const std::string& root, const std::vector<int>& cpus) {
  CpuInfo info;
  info.name = machine_name(root);
  info.logical_cores = std::max(1, static_cast<int>(cpus.size()));

  // One entry a core: its siblings' list (or its own number), and how fast it is.
  std::map<std::string, std::size_t> cores;
  std::size_t fastest = 0;
  std::string fastest_cpu;
  for (const int number : cpus) {
    const std::string cpu = root + "/sys/devices/system/cpu/cpu" + std::to_string(number);
    std::string core = read_line(cpu + "/topology/thread_siblings_list");
    if (core.empty()) core = "cpu" + std::to_string(number);
    std::size_t capacity = parse_size(read_line(cpu + "/cpu_capacity"));
    if (capacity == 0) capacity = parse_size(read_line(cpu + "/cpufreq/cpuinfo_max_freq"));
    cores[core] = std::max(cores[core], capacity);
    if (fastest_cpu.empty() || capacity > fastest) {
      fastest = capacity;
      fastest_cpu = cpu;
    }
  }
  info.physical_cores = std::max(1, static_cast<int>(cores.size()));
  const auto big = std::count_if(cores.begin(), cores.end(), [&](const auto& core) {
    return static_cast<double>(core.second) >= same_cluster * static_cast<double>(fastest);
  });
  info.big_cores = std::max(1, static_cast<int>(big));
  const double allowed = std::min(cgroup_processors(root), static_cast<double>(info.logical_cores));
  info.usable_cores = std::max(1, static_cast<int>(allowed));
  if (!fastest_cpu.empty()) read_caches(fastest_cpu, info);
  return info;
}

namespace {

std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  cpu_set_t* set = nullptr;
  // The kernel refuses a mask that is smaller than its own.
  for (int size = CPU_SETSIZE; size <= 64 * CPU_SETSIZE && cpus.empty(); size *= 4) {
    set = CPU_ALLOC(static_cast<std::size_t>(size));
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(size));
    CPU_ZERO_S(bytes, set);
    if (sched_getaffinity(0, bytes, set) == 0) {
      for (int cpu = 0; cpu < size; ++cpu) {
        if (CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes, set)) cpus.push_back(cpu);
      }
    }
    CPU_FREE(set);
  }
  if (cpus.empty()) {
    const int count = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    for (int cpu = 0; cpu < count; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

std::size_t system_size(int name) {
  const long value = sysconf(name);
  return value > 0 ? static_cast<std::size_t>(value) : 0;
}

}  // namespace
}  // namespace kernels

const CpuInfo& cpu_info() {
  static const CpuInfo info = [] {
    CpuInfo found = kernels::read_cpu_info("", kernels::allowed_cpus());
    if (found.l1d_bytes == 0) found.l1d_bytes = kernels::system_size(_SC_LEVEL1_DCACHE_SIZE);
    if (found.l2_bytes == 0) found.l2_bytes = kernels::system_size(_SC_LEVEL2_CACHE_SIZE);
    if (found.l3_bytes == 0) found.l3_bytes = kernels::system_size(_SC_LEVEL3_CACHE_SIZE);
    return found;
  }();
  return info;
}

}  // namespace linnet
