#include "training/tracking/system.h"

#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "linnet/cpu.h"

namespace linnet::tracking {
namespace {

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// A line "name: 123 kB" of a file below /proc, in bytes; 0 if it is not there.
double kilobytes(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    double value = 0;
    if (word == name + ":" && file >> value) return value * 1024;
  }
  return 0;
}

/// The largest number in the files FOLDER/<prefix>*/NAME; 0 if there are none.
double largest(const std::string& folder, const std::string& prefix, const std::string& name) {
  double result = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    double value = 0;
    if (entry.path().filename().string().starts_with(prefix) && std::ifstream(entry.path() / name) >> value)
      result = std::max(result, value);
  }
  return result;
}

std::string without_user(const std::string& url) {
  const std::size_t scheme = url.find("://"), begin = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t at = url.find('@', begin), slash = url.find('/', begin);
  if (scheme == std::string::npos || at == std::string::npos || at > slash) return url;
  return url.substr(0, begin) + url.substr(at + 1);
}

std::string commit_of(const std::filesystem::path& git, const std::string& reference) {
  const std::string loose = first_line(git / reference);
  if (!loose.empty()) return loose;
  std::ifstream packed(git / "packed-refs");
  for (std::string line; std::getline(packed, line);)
    if (line.ends_with(" " + reference)) return line.substr(0, line.find(' '));
  return "";
}

std::string origin_of(const std::filesystem::path& git) {
  std::ifstream config(git / "config");
  bool inside = false;
  for (std::string line; std::getline(config, line);) {
    if (line.starts_with("[")) inside = line == "[remote \"origin\"]";
    const std::size_t equals = line.find("url = ");
    if (inside && equals != std::string::npos) return without_user(line.substr(equals + 6));
  }
  return "";
}

}  // namespace

std::vector<std::pair<std::string, double>> SystemMetrics::read() {
  std::vector<std::pair<std::string, double>> result;
  const auto add = [&result](const char* name, double value) {
    if (value > 0) result.emplace_back(name, value);
  };
  std::ifstream stat("/proc/stat");
  std::string word;
  stat >> word;
  double total = 0, idle = 0, ticks = 0;
  for (int column = 0; column < 8 && stat >> ticks; ++column) {
    total += ticks;
    if (column == 3 || column == 4) idle += ticks;  // idle, waiting for input or output
  }
  const double busy = total - idle;
  if (total_ > 0 && total > total_) add("sys.cpu.percent.avg", 100 * (busy - busy_) / (total - total_));
  busy_ = busy;
  total_ = total;
  double load = 0;
  if (std::ifstream("/proc/loadavg") >> load) add("sys.load.avg", load);
  const double ram = kilobytes("/proc/meminfo", "MemTotal"), free = kilobytes("/proc/meminfo", "MemAvailable");
  add("sys.ram.total", ram);
  add("sys.ram.used", ram - free);
  add("sys.ram.process", kilobytes("/proc/self/status", "VmRSS"));
  add("sys.cpu.temperature", largest("/sys/class/thermal", "thermal_zone", "temp") / 1000);
  add("sys.cpu.freq_mhz", largest("/sys/devices/system/cpu/cpufreq", "policy", "scaling_cur_freq") / 1000);
  return result;
}

std::map<std::string, std::string> machine_facts() {
  std::map<std::string, std::string> facts;
  utsname system{};
  if (uname(&system) == 0) {
    facts["system.hostname"] = system.nodename;
    facts["system.os"] = std::string(system.sysname) + " " + system.release;
    facts["system.machine"] = system.machine;
  }
  if (const passwd* user = getpwuid(getuid())) facts["system.user"] = user->pw_name;
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string command, word;
  while (std::getline(file, word, '\0')) command += (command.empty() ? "" : " ") + word;
  facts["system.command"] = command;
  facts["system.pid"] = std::to_string(getpid());
  facts["system.cpu"] = cpu_info().name;
  facts["system.cores"] = std::to_string(cpu_info().usable_cores);
  facts["system.isa"] = std::string(to_string(selected_isa()));
  facts["linnet.version"] = LINNET_VERSION;
  return facts;
}

std::map<std::string, std::string> source_version(const std::string& folder) {
  std::error_code ignored;
  std::filesystem::path at = std::filesystem::absolute(folder, ignored);
  while (!std::filesystem::is_directory(at / ".git", ignored)) {
    if (at == at.root_path() || at.empty()) return {};
    at = at.parent_path();
  }
  const std::filesystem::path git = at / ".git";
  std::map<std::string, std::string> result;
  const std::string head = first_line(git / "HEAD");
  const bool on_branch = head.starts_with("ref: ");
  result["git.branch"] = on_branch ? head.substr(5) : "";
  result["git.commit"] = on_branch ? commit_of(git, head.substr(5)) : head;
  result["git.origin"] = origin_of(git);
  std::erase_if(result, [](const auto& entry) { return entry.second.empty(); });
  return result;
}

}  // namespace linnet::tracking
