// Timing one network.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "benches/bench_models/accuracy.h"
#include "benches/bench_models/models.h"
#include "benches/bench_models/soak.h"
#include "benches/bench_models/statistics.h"
#include "benches/bench_models/timing.h"
#include "benches/machine/monitor.h"
#include "linnet/compile.h"
#include "linnet/error.h"

namespace linnet::bench {

/// One line of the table.
struct Row {
  std::string model;
  std::string precision;
  int threads = 1;
  Index batch = 1;
  Index resolution = 0;  ///< the input's height
  std::string isa;
  Statistics ms;  ///< of one run
  int warmup_runs = 0;
  std::optional<double> load_ms;        ///< file to model
  double compile_ms = 0, first_ms = 0;  ///< model to session, the first run
  double macs = 0;                      ///< of one picture
  double peak_gflops = 0;               ///< this CPU's multiply-add peak with these threads; 0: unknown
  double arena_bytes = 0, weight_bytes = 0, peak_rss_bytes = 0;
  std::optional<double> file_bytes;
  Conditions conditions;
  std::vector<std::string> marks;  ///< what makes the row doubtful
  std::vector<SoakPoint> soak;
  std::optional<Accuracy> accuracy;

  double images_per_s() const { return 1e3 * static_cast<double>(batch) / ms.p50; }
  double gflops() const { return 2e-6 * macs * static_cast<double>(batch) / ms.p50; }
  /// Millijoules per picture, of all that the source of energy counts, idle parts included; nothing if unknown.
  std::optional<double> millijoules() const;
};

struct Case {
  CompileOptions compile;  ///< threads and batch are those that run
  int runs = 1;
  double seconds = 0;         ///< at least so long, too
  std::optional<int> warmup;  ///< runs before those that count; none: until stable
  double soak_seconds = 0;    ///< more than 0: that long, and the curve over time
  std::string pictures;       ///< labelled ones for accuracy; empty: none
};

/// A network that does not fit into what memory there is.
class TooLittleMemory : public Error {
 public:
  using Error::Error;
};

/// Runs the network and fills in all of the row but the names of model and precision, and the peak.
Row measure(const OpenModel& model, const Case& conditions, const Machine& machine, const std::vector<int>& cpus);

/// A network ready to run on random pictures.
class Runner {
 public:
  /// Throws TooLittleMemory before memory runs out.
  Runner(const Model& model, const CompileOptions& options);
  ~Runner();
  void run();
  const Plan& plan() const;
  std::span<float> input();
  std::span<const float> output() const;

  std::vector<PlanStep> steps() const;
  /// Runs once; milliseconds of each step.
  std::vector<double> profile();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace linnet::bench
