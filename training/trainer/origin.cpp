#include <sstream>

#include "linnet/cpu.h"
#include "linnet/training/trainer.h"
#include "training/trainer/recipe_parts.h"

namespace linnet::training {

Origin origin_of(const Datasets& data) {
  return {LINNET_VERSION, cpu_info().name, std::string(to_string(selected_isa())),
          fingerprint(*data.train) + "-" + fingerprint(*data.validation)};
}

std::vector<std::string> differences(const Origin& before, const Origin& now) {
  std::vector<std::string> found;
  const auto compare = [&found](const char* what, const std::string& old_value, const std::string& new_value) {
    if (old_value != new_value) found.push_back(std::string(what) + " " + old_value + ", now " + new_value);
  };
  compare("Linnet", before.version, now.version);
  compare("CPU", before.cpu, now.cpu);
  compare("instruction set", before.isa, now.isa);
  return found;
}

}  // namespace linnet::training
