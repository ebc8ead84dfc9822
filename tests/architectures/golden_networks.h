// Which golden files belong to networks that the registry knows.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "linnet/architectures.h"

namespace linnet {

struct GoldenNetworks {
  std::vector<std::string> known;    ///< paths
  std::vector<std::string> unknown;  ///< names of networks that are not built yet
  void print(std::ostream& out) const;
};

/// Sorts the golden files by whether their variant, the suffixes of size and classes taken off, is in the registry.
/// Everything else about a known one must then be right.
GoldenNetworks find_golden_networks(const std::string& prefix = "");

}  // namespace linnet
