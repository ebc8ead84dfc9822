#include "golden_networks.h"

#include <filesystem>
#include <ostream>

#include "architectures/names.h"
#include "golden/golden.h"

namespace linnet {

void GoldenNetworks::print(std::ostream& out) const {
  out << known.size() << " golden files of known networks";
  if (!unknown.empty()) out << "; " << unknown.size() << " of networks not known yet:";
  for (const std::string& name : unknown) out << " " << name;
  out << "\n";
}

GoldenNetworks find_golden_networks(const std::string& prefix) {
  GoldenNetworks found;
  for (const std::string& path : golden::find_goldens(prefix)) {
    const std::string name = std::filesystem::path(path).stem().string().substr(prefix.size());
    const std::string_view variant = architectures::parse_name(name).variant;
    bool known = false;
    for (const architectures::Variant& candidate : architectures::variants()) known |= candidate.name == variant;
    known = known || architectures::width_in_name(variant, "mobilenetv1_") ||
            architectures::width_in_name(variant, "mobilenetv2_");
    if (known) {
      found.known.push_back(path);
    } else {
      found.unknown.push_back(name);
    }
  }
  return found;
}

}  // namespace linnet
