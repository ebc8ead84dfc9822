// The command line of bench_models.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace linnet::bench {

struct Options {
  std::vector<std::string> models;  ///< names of architectures or paths of model files
  std::vector<int> threads = {1};
  std::vector<int> batches = {1};
  std::vector<std::string> precisions = {"f32"};
  int runs = 50;
  int warmup = 5;
  std::string json;  ///< file for the results; "-": stdout; empty: none
  bool profile = false;
  std::vector<std::string> disabled_passes;  ///< of the compiler, as in CompileOptions
};

/// The options, or the exit code if the program has nothing more to do: 0 after --help, 2 for wrong use (what is wrong
/// has been printed to stderr).
struct Parsed {
  std::optional<Options> options;
  int exit_code = 0;
};
Parsed parse_command_line(int argc, const char* const* argv);

}  // namespace linnet::bench
