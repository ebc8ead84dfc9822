#include "golden_networks.h"

#include <filesystem>
#include <ostream>

#include "linnet/error.h"

namespace linnet {

void GoldenNetworks::print(std::ostream& out) const {
  out << known.size() << " golden files of known networks";
  if (!unknown.empty()) out << "; " << unknown.size() << " of networks not known yet:";
  for (const std::string& name : unknown) out << " " << name;
  out << "\n";
}

namespace {

bool is_known(const std::string& name) {
  try {
    architectures::build(name);
    return true;
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with("unknown network")) return false;
    throw;
  }
}

}  // namespace

GoldenNetworks find_golden_networks(const std::string& prefix) {
  GoldenNetworks found;
  for (const std::string& path : golden::find_goldens(prefix)) {
    const std::string name = std::filesystem::path(path).stem().string().substr(prefix.size());
    if (is_known(name)) {
      found.known.push_back(path);
    } else {
      found.unknown.push_back(name);
    }
  }
  return found;
}

Graph build_golden_network(const golden::Golden& expected, const std::string& prefix) {
  architectures::BuildOptions options;
  options.classes = expected.classes;
  options.height = expected.height;
  options.width = expected.width;
  return architectures::build(expected.name.substr(prefix.size()), options);
}

}  // namespace linnet
