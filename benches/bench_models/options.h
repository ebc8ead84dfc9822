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
  std::optional<int> warmup;  ///< none: until stable
  double duration = 0;        ///< seconds that each row takes at least
  double soak = 0;            ///< minutes; more than 0: the curve over time
  double cooldown = 0;        ///< seconds of rest before each row but the first, at most
  std::string affinity;       ///< "big", "little", a list of CPUs, or empty: as the system likes
  std::string accuracy;       ///< labelled pictures, or empty
  /// Files for the results; "-": stdout; empty: none.
  std::string json, benchmark_json, csv, markdown;
  bool profile = false;
  std::vector<std::string> disabled_passes;  ///< of the compiler, as in CompileOptions
};

/// bench_models compare A B
struct Comparison {
  std::string a, b;
};

/// What is to be done, or the exit code if the program has nothing more to do: 0 after --help, 2 for wrong use (what is
/// wrong has been printed to stderr).
struct Parsed {
  std::optional<Options> options;
  std::optional<Comparison> comparison;
  int exit_code = 0;
};
Parsed parse_command_line(int argc, const char* const* argv);

}  // namespace linnet::bench
