#include <algorithm>
#include <cstdlib>
#include <limits>
#include <vector>

#include "kernels/dispatch/cpu_info.h"
#include "kernels/dispatch/lines.h"

namespace linnet::kernels {
namespace {

/// What stands between spaces.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < line.size();) {
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    if (end > begin) words.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

constexpr double unlimited = std::numeric_limits<double>::infinity();

/// Where a hierarchy of control groups is mounted, and which of its groups lies at the mount point.
struct Mount {
  std::string root, point;
  bool is_v2 = false;
};

bool holds(const std::string& comma_separated, const std::string& word) {
  return ("," + comma_separated + ",").find("," + word + ",") != std::string::npos;
}

/// The hierarchies that may limit processor time: version 2, and version 1 with the controller `cpu`. See proc(5),
/// /proc/pid/mountinfo: id, parent, device, root, point, options, optional fields, "-", type, source, options.
std::vector<Mount> mounts_of(const std::string& root) {
  std::vector<Mount> mounts;
  Lines lines(root + "/proc/self/mountinfo");
  for (std::string line; lines.next(line);) {
    const std::vector<std::string> fields = words_of(line);
    const auto separator = std::find(fields.begin(), fields.end(), "-");
    if (separator - fields.begin() < 6 || fields.end() - separator < 4) continue;
    const std::string &type = separator[1], &options = separator[3];
    const bool is_v2 = type == "cgroup2";
    if (is_v2 || (type == "cgroup" && holds(options, "cpu"))) mounts.push_back({fields[3], fields[4], is_v2});
  }
  return mounts;
}

/// This process's group in a hierarchy: "/" is the topmost. See cgroups(7), /proc/pid/cgroup: id, controllers, path.
std::string group_of(const std::string& root, bool is_v2) {
  Lines lines(root + "/proc/self/cgroup");
  for (std::string line; lines.next(line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (is_v2 ? controllers.empty() : holds(controllers, "cpu")) return line.substr(second + 1);
  }
  return "/";
}

/// Below the mount point. A container may see the path that its group has outside; then the mount point is its group.
std::string relative(std::string group, const std::string& mounted) {
  if (group.find("..") != std::string::npos) return "";
  if (mounted != "/") {
    if (!group.starts_with(mounted)) return "";
    group.erase(0, mounted.size());
  }
  while (group.ends_with('/')) group.pop_back();
  return group.starts_with('/') ? group : "";
}

/// The numbers of a file's first line, up to what is none.
std::vector<double> read_numbers(const std::string& path) {
  std::string line;
  Lines(path).next(line);
  std::vector<double> numbers;
  for (const std::string& word : words_of(line)) {
    char* end = nullptr;
    const double number = std::strtod(word.c_str(), &end);
    if (end == word.c_str()) break;
    numbers.push_back(number);
  }
  return numbers;
}

double quota_of(const std::string& folder, bool is_v2) {
  std::vector<double> numbers = read_numbers(folder + (is_v2 ? "/cpu.max" : "/cpu.cfs_quota_us"));
  if (!is_v2) {
    for (const double period : read_numbers(folder + "/cpu.cfs_period_us")) numbers.push_back(period);
  }
  // "max 100000" and -1: no limit
  return numbers.size() == 2 && numbers[0] > 0 && numbers[1] > 0 ? numbers[0] / numbers[1] : unlimited;
}

}  // namespace

double cgroup_processors(const std::string& root) {
  double least = unlimited;
  for (const Mount& mount : mounts_of(root)) {
    std::string group = relative(group_of(root, mount.is_v2), mount.root);
    while (true) {  // the groups above limit this one, too
      least = std::min(least, quota_of(root + mount.point + group, mount.is_v2));
      if (group.empty()) break;
      group.erase(group.rfind('/'));
    }
  }
  return least;
}

}  // namespace linnet::kernels
