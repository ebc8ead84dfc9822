#include "benches/bench_models/models.h"

#include <filesystem>
#include <fstream>

#include "benches/bench_models/timing.h"
#include "linnet/architectures.h"
#include "linnet/error.h"

namespace linnet::bench {

bool is_file(const std::string& name_or_path) {
  return name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".safetensors");
}

void check_models(const std::vector<std::string>& names_or_paths) {
  for (const std::string& name : names_or_paths) {
    if (!is_file(name)) {
      architectures::build(name);
    } else if (!std::ifstream(name)) {
      throw Error("cannot read " + name);
    }
  }
}

OpenModel open_model(const std::string& name_or_path) {
  OpenModel result;
  if (is_file(name_or_path)) {
    const Clock::time_point begin = Clock::now();
    result.model = load_model(name_or_path);
    result.load_ms = ms_since(begin);
    result.file_bytes = static_cast<double>(std::filesystem::file_size(name_or_path));
  } else {
    result.model.graph = architectures::build(name_or_path);
    result.model.weights = initial_weights(result.model.graph, 0);
  }
  return result;
}

}  // namespace linnet::bench
