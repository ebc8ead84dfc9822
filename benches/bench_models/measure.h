// Timing one network.
#pragma once

#include <string>
#include <vector>

#include "linnet/compile.h"
#include "linnet/model.h"

namespace linnet::bench {

/// One line of the table.
struct Row {
  std::string model;
  std::string precision;
  int threads = 1;
  Index batch = 1;
  Index resolution = 0;  ///< the input's height
  std::string isa;
  int runs = 0;
  double min_ms = 0, median_ms = 0, p90_ms = 0, p99_ms = 0, mean_ms = 0;
};

struct Case {
  CompileOptions compile;  ///< threads and batch are those that run
  int runs = 1;
  int warmup = 0;
};

/// An architecture with random weights, or a model file: anything that has a '/' or ends in ".safetensors".
Model open_model(const std::string& name_or_path);

/// Runs the network and fills in all of the row but the names of model and precision.
Row measure(const Model& model, const Case& conditions);

/// The smallest sample that at least this share of the samples does not exceed (nearest rank). `sorted` is not empty.
double percentile(const std::vector<double>& sorted, double share);

/// A network ready to run on random pictures.
class Runner {
 public:
  Runner(const Model& model, const CompileOptions& options);
  ~Runner();
  void run();

  std::vector<PlanStep> steps() const;
  /// Runs once; milliseconds of each step.
  std::vector<double> profile();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace linnet::bench
