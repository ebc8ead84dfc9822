// Which golden files belong to networks that the registry knows.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "golden/golden.h"
#include "linnet/architectures.h"

namespace linnet {

struct GoldenNetworks {
  std::vector<std::string> known;    ///< paths
  std::vector<std::string> unknown;  ///< names of networks that are not built yet
  void print(std::ostream& out) const;
};

/// Sorts the golden files by whether the registry knows the network's name. Throws if a known one cannot be built.
GoldenNetworks find_golden_networks(const std::string& prefix = "");

/// The network of a golden file, at the file's size and class count. `prefix` is what stands before its name.
Graph build_golden_network(const golden::Golden& expected, const std::string& prefix = "");

}  // namespace linnet
