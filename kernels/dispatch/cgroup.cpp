#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <vector>

#include "kernels/dispatch/cpu_info.h"

namespace linnet::kernels {
namespace {

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
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string skipped, type, options;
    Mount mount;
    fields >> skipped >> skipped >> skipped >> mount.root >> mount.point;
    while (fields >> skipped && skipped != "-") {
    }
    fields >> type >> skipped >> options;
    mount.is_v2 = type == "cgroup2";
    if (mount.is_v2 || (type == "cgroup" && holds(options, "cpu"))) mounts.push_back(std::move(mount));
  }
  return mounts;
}

/// This process's group in a hierarchy: "/" is the topmost. See cgroups(7), /proc/pid/cgroup: id, controllers, path.
std::string group_of(const std::string& root, bool is_v2) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
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

double read_number(const std::string& path) {
  std::ifstream file(path);
  double value = 0;
  return file >> value ? value : 0;
}

double ratio(double quota, double period) { return quota > 0 && period > 0 ? quota / period : unlimited; }

double quota_of(const std::string& folder, bool is_v2) {
  if (!is_v2) return ratio(read_number(folder + "/cpu.cfs_quota_us"), read_number(folder + "/cpu.cfs_period_us"));
  std::ifstream file(folder + "/cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period ? ratio(quota, period) : unlimited;  // "max 100000" is no number: no limit
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
