// What the machine does, and which sources and machine a run comes from. Linux; what is missing is left out.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace linnet::tracking {

/// Readings of processor, memory, temperature and clock since the last call, under Comet's names where it has some
/// (percent, bytes, degrees Celsius, MHz).
class SystemMetrics {
 public:
  std::vector<std::pair<std::string, double>> read();

 private:
  double busy_ = 0, total_ = 0;  ///< of all processors since boot, in ticks
};

/// Host, user, command line, processor, instruction set, version of Linnet: "system.hostname", ...
std::map<std::string, std::string> machine_facts();

/// "git.commit", "git.branch", "git.origin" of the repository around `folder`; empty without one. User names and
/// passwords are taken out of the origin's address.
std::map<std::string, std::string> source_version(const std::string& folder);

}  // namespace linnet::tracking
