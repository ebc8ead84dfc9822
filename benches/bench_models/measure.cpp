#include "benches/bench_models/measure.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <numeric>
#include <random>

#include "linnet/architectures.h"
#include "linnet/cpu.h"
#include "linnet/session.h"

namespace linnet::bench {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// The rows are printed elsewhere.
class SilentReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

/// Times `runs` calls under Google Benchmark, which keeps the loop but reports means only, so that each call's time is
/// kept here.
template <class Call>
std::vector<double> time_calls(int runs, Call&& call) {
  std::vector<double> samples;
  samples.reserve(static_cast<std::size_t>(runs));
  std::exception_ptr failure;
  const auto body = [&](benchmark::State& state) {
    for ([[maybe_unused]] auto unused : state) {
      const Clock::time_point begin = Clock::now();
      try {
        call();
      } catch (...) {
        failure = std::current_exception();
        state.SkipWithError("failed");
        break;
      }
      samples.push_back(ms_since(begin));
      state.SetIterationTime(samples.back() * 1e-3);
    }
  };
  benchmark::RegisterBenchmark("model", body)->Iterations(runs)->UseManualTime();
  SilentReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::ClearRegisteredBenchmarks();
  if (failure) std::rethrow_exception(failure);
  return samples;
}

}  // namespace

struct Runner::State {
  Session session;
  std::vector<float> input;
  std::vector<std::vector<float>> outputs;
  std::vector<std::span<float>> output_spans;
};

Runner::Runner(const Model& model, const CompileOptions& options) {
  const auto plan = compile(model, options);
  state_ = std::make_unique<State>(State{Session(plan, options.threads), {}, {}, {}});
  state_->input.resize(static_cast<std::size_t>(element_count(plan->input_shape())));
  for (std::size_t i = 0; i < plan->output_count(); ++i) {
    state_->outputs.emplace_back(static_cast<std::size_t>(element_count(plan->output_shape(i))));
  }
  state_->output_spans.assign(state_->outputs.begin(), state_->outputs.end());
  std::mt19937 generator(0);
  for (float& value : state_->input) value = static_cast<float>(generator()) * 0x1p-31f - 1.0f;
}

Runner::~Runner() = default;

void Runner::run() { state_->session.run(state_->input, state_->output_spans); }

std::vector<PlanStep> Runner::steps() const { return state_->session.plan().steps(); }

std::vector<double> Runner::profile() {
  const std::vector<PlanStep> planned = steps();
  // Steps that take one picture after the other come first and are seen again for each.
  const auto singles = static_cast<std::size_t>(
      std::count_if(planned.begin(), planned.end(), [](const PlanStep& step) { return step.times > 1; }));
  std::size_t calls = 0, calls_of_singles = singles > 0 ? singles * static_cast<std::size_t>(planned[0].times) : 0;
  std::vector<double> times(planned.size());
  Clock::time_point begin = Clock::now();
  const Session::Observer observer = [&](const std::string&, const Shape&, const float*) {
    const std::size_t step = calls < calls_of_singles ? calls % singles : calls - calls_of_singles + singles;
    times[step] += ms_since(begin);
    ++calls;
    begin = Clock::now();
  };
  state_->session.run(state_->input, state_->output_spans, observer);
  return times;
}

Model open_model(const std::string& name_or_path) {
  if (name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".safetensors")) {
    return load_model(name_or_path);
  }
  Model model;
  model.graph = architectures::build(name_or_path);
  model.weights = initial_weights(model.graph, 0);
  return model;
}

double percentile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

Row measure(const Model& model, const Case& conditions) {
  Runner runner(model, conditions.compile);
  for (int i = 0; i < conditions.warmup; ++i) runner.run();
  std::vector<double> samples = time_calls(conditions.runs, [&] { runner.run(); });
  std::sort(samples.begin(), samples.end());

  Row row;
  row.threads = conditions.compile.threads;
  row.batch = conditions.compile.batch;
  row.resolution = model.graph.input().shape[0];
  row.isa = to_string(selected_isa());
  row.runs = conditions.runs;
  row.min_ms = samples.front();
  row.median_ms = percentile(samples, 0.5);
  row.p90_ms = percentile(samples, 0.9);
  row.p99_ms = percentile(samples, 0.99);
  row.mean_ms = std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
  return row;
}

}  // namespace linnet::bench
