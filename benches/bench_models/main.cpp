// bench_models: the latency table of this device.
#include <fstream>
#include <iostream>

#include "benches/bench_models/machine.h"
#include "benches/bench_models/options.h"
#include "benches/bench_models/report.h"
#include "linnet/error.h"

namespace linnet::bench {
namespace {

std::vector<Row> measure_all(const Options& options, std::ostream& people) {
  std::vector<Row> rows;
  people << describe_machine() << '\n' << table_header() << std::flush;
  for (const std::string& name : options.models) {
    const Model model = open_model(name);
    for (const std::string& precision : options.precisions) {
      for (const int threads : options.threads) {
        for (const int batch : options.batches) {
          const Case conditions{
              .compile = {.batch = batch, .threads = threads, .disabled_passes = options.disabled_passes},
              .runs = options.runs,
              .warmup = options.warmup};
          Row row = measure(model, conditions);
          row.model = name;
          row.precision = precision;
          people << table_line(row) << std::flush;
          if (options.profile) people << '\n' << profile_table(model, conditions) << '\n' << std::flush;
          rows.push_back(std::move(row));
        }
      }
    }
  }
  return rows;
}

/// Opened before anything is measured, so that a wrong path does not cost the results.
std::ofstream open_json(const std::string& path) {
  std::ofstream file(path);
  if (!file) throw Error("cannot write " + path);
  return file;
}

void run(const Options& options) {
  if (options.json == "-") {
    std::cout << to_json(measure_all(options, std::cerr)) << std::flush;
  } else if (options.json.empty()) {
    measure_all(options, std::cout);
  } else {
    std::ofstream file = open_json(options.json);
    file << to_json(measure_all(options, std::cout)) << std::flush;
    if (!file) throw Error("cannot write " + options.json);
  }
}

}  // namespace
}  // namespace linnet::bench

int main(int argc, char** argv) {
  using namespace linnet::bench;
  const Parsed parsed = parse_command_line(argc, argv);
  if (!parsed.options) return parsed.exit_code;
  try {
    run(*parsed.options);
  } catch (const std::exception& error) {
    std::cerr << "bench_models: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
