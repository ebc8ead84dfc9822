// bench_models: the latency table of this device.
#include <algorithm>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>

#include "benches/bench_models/compare.h"
#include "benches/bench_models/conditions.h"
#include "benches/bench_models/formats.h"
#include "benches/bench_models/interrupt.h"
#include "benches/bench_models/options.h"
#include "benches/bench_models/profile.h"
#include "benches/bench_models/table.h"
#include "benches/common/fma_peak.h"
#include "benches/machine/describe.h"
#include "benches/machine/thermal.h"
#include "linnet/error.h"

namespace linnet::bench {
namespace {

/// The multiply-add peak: the best that was seen so far with so many threads, one more look each time.
double peak_gflops(int threads) {
  static std::map<int, double> peaks;
  double& best = peaks[threads];
  best = std::max(best, fma_peak(selected_isa(), threads));
  return best;
}

struct Results {
  std::vector<Row> rows;
  bool complete = true;        ///< no row was left out for want of memory
  std::exception_ptr failure;  ///< what ended the measuring
};

std::vector<Case> cases_of(const Options& options) {
  std::vector<Case> cases;
  for (const int threads : options.threads)
    for (const int batch : options.batches)
      cases.push_back({.compile = {.batch = batch, .threads = threads, .disabled_passes = options.disabled_passes},
                       .runs = options.runs,
                       .seconds = options.duration,
                       .warmup = options.warmup,
                       .soak_seconds = 60 * options.soak,
                       .pictures = options.accuracy});
  return cases;
}

/// Every row, printed as soon as it is there. What goes wrong does not cost the rows before it.
Results measure_all(const Options& options, const Machine& machine, const std::vector<int>& cpus,
                    std::ostream& people) {
  Results results;
  const Table table(options.models);
  const std::optional<double> celsius = read_temperature(machine.files, find_thermometer(machine.files));
  people << table.head() << std::flush;
  try {
    for (const std::string& name : options.models) {
      const OpenModel opened = open_model(name);
      for (const std::string& precision : options.precisions) {
        for (const Case& conditions : cases_of(options)) {
          if (!results.rows.empty()) cool_down(options.cooldown, machine, celsius);
          if (interrupted()) return results;
          try {
            const double peak = peak_gflops(conditions.compile.threads);
            Row row = measure(opened, conditions, machine, cpus);
            row.model = name;
            row.precision = precision;
            row.peak_gflops = peak;
            people << table.line(row) << std::flush;
            results.rows.push_back(std::move(row));
            if (options.profile && !interrupted())
              people << '\n' << profile_table(opened.model, conditions) << '\n' << std::flush;
          } catch (const TooLittleMemory& error) {
            std::cerr << "bench_models: " << error.what() << '\n';
            results.complete = false;
          }
        }
      }
    }
  } catch (...) {
    results.failure = std::current_exception();
  }
  return results;
}

/// A result, opened before anything is measured, so that a wrong path does not cost the others.
class Output {
 public:
  explicit Output(std::string path) : path_(std::move(path)) {
    if (path_.empty() || path_ == "-") return;
    file_.open(path_);
    if (!file_) throw Error("cannot write " + path_);
  }
  void write(const std::string& text) {
    if (path_.empty()) return;
    std::ostream& stream = path_ == "-" ? std::cout : file_;
    stream << text << std::flush;
    if (!stream) throw Error("cannot write " + (path_ == "-" ? "to stdout" : path_));
  }
  bool on_stdout() const { return path_ == "-"; }
  bool wanted() const { return !path_.empty(); }

 private:
  std::string path_;
  std::ofstream file_;
};

void check_accuracy(const Options& options) {
  if (options.accuracy.empty()) return;
  list_pictures(options.accuracy);
  for (const std::string& name : options.models)
    if (!is_file(name)) throw Error("--accuracy: " + name + " has random weights here, expected a model file");
}

int run(const Options& options) {
  check_models(options.models);
  check_accuracy(options);
  Output json(options.json), benchmark_json(options.benchmark_json), csv(options.csv), markdown(options.markdown);
  const Machine machine = this_machine();
  if (!options.affinity.empty()) stay_on(cpus_of(options.affinity, machine.files));
  const std::vector<int> cpus = allowed_cpus();
  bool stdout_taken = false;
  for (const Output* output : {&json, &benchmark_json, &csv, &markdown})
    stdout_taken = stdout_taken || output->on_stdout();
  std::ostream& people = stdout_taken ? std::cerr : std::cout;

  const Description description = describe(machine, cpus);
  const std::string machine_text = describe_text(machine, cpus, cpu_info());
  people << machine_text << '\n';
  catch_interrupts();
  const Results results = measure_all(options, machine, cpus, people);
  if (!results.rows.empty()) people << '\n' << Table(options.models).details(results.rows) << std::flush;
  json.write(json.wanted() ? to_json(results.rows, description) : "");
  benchmark_json.write(benchmark_json.wanted() ? to_benchmark_json(results.rows, description) : "");
  csv.write(csv.wanted() ? to_csv(results.rows, description) : "");
  markdown.write(markdown.wanted() ? to_markdown(results.rows, machine_text) : "");
  if (results.failure) std::rethrow_exception(results.failure);
  if (interrupted()) return 130;
  return results.complete ? 0 : 1;
}

}  // namespace
}  // namespace linnet::bench

int main(int argc, char** argv) {
  using namespace linnet::bench;
  const Parsed parsed = parse_command_line(argc, argv);
  try {
    if (parsed.comparison) std::cout << compare(parsed.comparison->a, parsed.comparison->b) << std::flush;
    return parsed.options ? run(*parsed.options) : parsed.exit_code;
  } catch (const std::exception& error) {
    std::cerr << "bench_models: " << error.what() << '\n';
    return 1;
  }
}
