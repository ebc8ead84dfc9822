#include "benches/bench_models/measure.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "benches/bench_models/interrupt.h"
#include "benches/machine/memory.h"
#include "linnet/cpu.h"
#include "linnet/session.h"
#include "linnet/summary.h"

namespace linnet::bench {
namespace {

std::string megabytes(double bytes) { return std::to_string(static_cast<long>(std::ceil(bytes * 1e-6))) + " MB"; }

/// Asked before memory is taken: a system that has none left ends some program, not always the one that took it.
void require_memory(const Model& model, const CompileOptions& options, double bytes) {
  constexpr double addresses = sizeof(void*) == 4 ? 3e9 : 1e18;  // what the kernel leaves a 32-bit program
  const double available = std::min(addresses, available_memory(SystemFiles()).value_or(addresses));
  if (bytes <= available) return;
  throw TooLittleMemory(model.graph.name + ", batch " + std::to_string(options.batch) + ": needs " + megabytes(bytes) +
                        " of memory, " + megabytes(available) + " are available");
}

/// Before anything is compiled: the packed weights, the input and the largest feature map. In double, as sizes of
/// large batches overflow on 32-bit machines.
double least_memory(const Model& model, const CompileOptions& options) {
  const Summary counts = summary(model.graph);
  std::int64_t largest = 0;
  for (const LayerSummary& layer : counts.layers) largest = std::max(largest, layer.activation_bytes);
  const double input = 4.0 * static_cast<double>(element_count(model.graph.input().shape));
  return 4.0 * static_cast<double>(counts.parameters) +
         static_cast<double>(options.batch) * (input + static_cast<double>(largest));
}

/// Of input and outputs.
double bytes_of_io(const Plan& plan) {
  Index values = element_count(plan.input_shape());
  for (std::size_t i = 0; i < plan.output_count(); ++i) values += element_count(plan.output_shape(i));
  return 4.0 * static_cast<double>(values);
}

}  // namespace

struct Runner::State {
  Session session;
  std::vector<float> input;
  std::vector<std::vector<float>> outputs;
  std::vector<std::span<float>> output_spans;
};

Runner::Runner(const Model& model, const CompileOptions& options) {
  require_memory(model, options, least_memory(model, options));
  const auto plan = compile(model, options);
  require_memory(model, options, static_cast<double>(plan->arena_bytes()) + bytes_of_io(*plan));
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

const Plan& Runner::plan() const { return state_->session.plan(); }

std::span<float> Runner::input() { return state_->input; }

std::span<const float> Runner::output() const { return state_->outputs[0]; }

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

std::optional<double> Row::millijoules() const {
  if (!conditions.joules || ms.count == 0) return std::nullopt;
  return 1e3 * *conditions.joules / (static_cast<double>(batch) * ms.count);
}

namespace {

void add_marks(Row& row, const std::vector<std::string>& more) {
  for (const std::string& mark : more)
    if (std::find(row.marks.begin(), row.marks.end(), mark) == row.marks.end()) row.marks.push_back(mark);
}

std::vector<double> milliseconds(const std::vector<Sample>& samples) {
  std::vector<double> times;
  times.reserve(samples.size());
  for (const Sample& sample : samples) times.push_back(sample.ms);
  return times;
}

/// One stretch of timed runs, watched.
std::vector<Sample> watched(Runner& runner, const Amount& amount, Monitor& monitor, Conditions& conditions) {
  monitor.start();
  std::vector<Sample> samples = time_calls(amount, [&] { runner.run(); });
  conditions = monitor.stop();
  return samples;
}

/// Interval by interval; the row's figures are those of the whole.
void soak(Row& row, Runner& runner, const Case& conditions, const Machine& machine, const std::vector<int>& cpus) {
  const Clock::time_point begin = Clock::now();
  const double interval = soak_interval(conditions.soak_seconds);
  std::vector<double> all;
  Monitor whole(machine, cpus, row.threads);
  whole.start();
  do {
    Conditions part;
    Monitor monitor(machine, cpus, row.threads, interval / 4);
    const std::vector<double> times = milliseconds(watched(runner, {.runs = 1, .seconds = interval}, monitor, part));
    row.soak.push_back({.seconds = 1e-3 * ms_since(begin),
                        .runs = static_cast<int>(times.size()),
                        .median_ms = summarise(times).p50,
                        .mhz = part.mhz.count > 0 ? part.mhz.mean : 0,
                        .celsius = part.celsius_after,
                        .throttled = part.throttled});
    all.insert(all.end(), times.begin(), times.end());
  } while (1e-3 * ms_since(begin) < conditions.soak_seconds && !interrupted());
  row.conditions = whole.stop();
  row.ms = summarise(all);
}

Accuracy top1(Runner& runner, const Model& model, const std::string& pictures) {
  Accuracy accuracy;
  const Shape& shape = model.graph.input().shape;
  const auto batch = static_cast<std::size_t>(runner.plan().input_shape()[0]);
  const std::size_t values = runner.input().size() / batch, classes = runner.output().size() / batch;
  const std::vector<LabelledPicture> list = list_pictures(pictures);
  for (std::size_t first = 0; first < list.size() && !interrupted(); first += batch) {
    const std::size_t count = std::min(batch, list.size() - first);
    for (std::size_t i = 0; i < count; ++i)
      read_picture(list[first + i].path, shape, model.preprocessing, runner.input().subspan(i * values, values));
    runner.run();
    for (std::size_t i = 0; i < count; ++i) {
      accuracy.right += best_class(runner.output().subspan(i * classes, classes)) == list[first + i].label ? 1 : 0;
      ++accuracy.pictures;
    }
  }
  return accuracy;
}

}  // namespace

Row measure(const OpenModel& opened, const Case& conditions, const Machine& machine, const std::vector<int>& cpus) {
  const Model& model = opened.model;
  Row row;
  row.threads = conditions.compile.threads;
  row.batch = conditions.compile.batch;
  row.resolution = model.graph.input().shape[0];
  row.isa = to_string(selected_isa());
  row.load_ms = opened.load_ms;
  row.file_bytes = opened.file_bytes;
  row.macs = static_cast<double>(summary(model.graph).macs);

  reset_peak_memory();
  Clock::time_point begin = Clock::now();
  Runner runner(model, conditions.compile);
  row.compile_ms = ms_since(begin);
  row.arena_bytes = static_cast<double>(runner.plan().arena_bytes());
  row.weight_bytes = static_cast<double>(runner.plan().weight_bytes());
  begin = Clock::now();
  runner.run();
  row.first_ms = ms_since(begin);
  row.warmup_runs = warm_up(conditions.warmup, [&] { runner.run(); });

  if (conditions.soak_seconds > 0) {
    soak(row, runner, conditions, machine, cpus);
  } else {
    Monitor monitor(machine, cpus, row.threads);
    const Amount amount{.runs = conditions.runs, .seconds = conditions.seconds};
    row.ms = summarise(milliseconds(watched(runner, amount, monitor, row.conditions)));
  }
  add_marks(row, marks(row.conditions));
  row.peak_rss_bytes = peak_memory();
  if (!conditions.pictures.empty() && !interrupted()) row.accuracy = top1(runner, model, conditions.pictures);
  if (interrupted()) add_marks(row, {"interrupted"});
  return row;
}

}  // namespace linnet::bench
