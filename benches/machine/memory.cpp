#include "benches/machine/memory.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace linnet::bench {
namespace {

/// The value of a line "name: 123 kB", in bytes.
std::optional<double> kilobytes_of(const std::string& text, const std::string& name) {
  const std::size_t place = text.find(name);
  if (place == std::string::npos) return std::nullopt;
  double value = 0;
  std::istringstream rest(text.substr(place + name.size()));
  if (!(rest >> value)) return std::nullopt;
  return value * 1024;
}

/// Limit less use of the group at the mount point: what a container sees. Limits beyond any machine mean none.
std::optional<double> group_rest(const SystemFiles& files, const std::string& limit, const std::string& use) {
  const std::optional<double> most = files.number(limit), used = files.number(use);
  constexpr double none = 1e15;
  if (!most || !used || *most > none) return std::nullopt;
  return std::max(0.0, *most - *used);
}

}  // namespace

std::optional<double> available_memory(const SystemFiles& files) {
  std::optional<double> bytes = kilobytes_of(files.text("/proc/meminfo").value_or(""), "MemAvailable:");
  const std::string groups = "/sys/fs/cgroup/";
  for (const std::optional<double> rest :
       {group_rest(files, groups + "memory.max", groups + "memory.current"),
        group_rest(files, groups + "memory/memory.limit_in_bytes", groups + "memory/memory.usage_in_bytes")})
    if (rest) bytes = std::min(bytes.value_or(*rest), *rest);
  return bytes;
}

double peak_memory() {
  return kilobytes_of(SystemFiles().text("/proc/self/status").value_or(""), "VmHWM:").value_or(0);
}

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace linnet::bench
