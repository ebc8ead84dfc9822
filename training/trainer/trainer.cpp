#include "linnet/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "linnet/cpu.h"
#include "linnet/error.h"
#include "linnet/safetensors.h"
#include "linnet/training/evaluation.h"
#include "training/trainer/classes.h"
#include "training/trainer/learner.h"
#include "training/trainer/metrics_lines.h"
#include "training/trainer/recipe_parts.h"
#include "training/trainer/run_folder.h"

namespace linnet::training {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

Score score_of(const Evaluation& evaluation) {
  return {evaluation.loss, evaluation.metrics.top1(), evaluation.metrics.top5()};
}

class Trainer {
 public:
  Trainer(const Recipe& recipe, const RunOptions& options, RunObserver& observer);
  RunResult run();

 private:
  void resume(const Origin& now);
  void run_epoch();
  void train_step(const Batch& batch, double waiting);
  bool close_epoch();
  std::optional<Evaluation> validate(const Weights& weights);
  bool prefers_average(const ValidationReport& report) const;
  void save_if_wanted(ValidationReport& report);
  void note_progress(const ValidationReport& report);
  void write_checkpoint();
  void keep_checkpoint();
  double lap();
  void report_problems(const std::vector<std::string>& problems);
  void warn_of_waiting();
  bool time_over() const;
  bool stop_requested() const { return (options_.stop_requested && options_.stop_requested()) || time_over(); }
  bool stopped_early() const { return recipe_.patience > 0 && state_.stale >= recipe_.patience; }
  bool done() const { return state_.closed && (state_.step >= last_step_ || stopped_early()); }
  Model model_with(const Weights& weights) const;
  Integer epoch() const { return (state_.step - 1) / steps_per_epoch_; }  ///< of the last step done

  const Clock::time_point begin_ = Clock::now();
  const Recipe& recipe_;
  const RunOptions& options_;
  RunObserver& observer_;
  RunFolder folder_;
  std::shared_ptr<ThreadPool> pool_;
  Datasets data_;
  Graph graph_;
  std::unique_ptr<Loader> loader_, validation_loader_;
  Integer steps_per_epoch_ = 0, last_step_ = 0;
  std::unique_ptr<Learner> learner_;
  std::unique_ptr<MetricsLog> log_;
  Checkpoint state_;  ///< its tensors are filled in when it is written
  std::string last_checkpoint_ = "no checkpoint was written yet";
  Clock::time_point lap_start_;
  double step_seconds_ = 0, checkpoint_seconds_ = 0;  ///< that the last ones took
  Integer steps_here_ = 0;                            ///< done by this process
  bool warned_of_waiting_ = false, resumed_ = false;
  std::vector<std::string> notes_;
  std::set<std::string> known_problems_;
};

Trainer::Trainer(const Recipe& recipe, const RunOptions& options, RunObserver& observer)
    : recipe_(recipe), options_(options), observer_(observer), folder_(options.folder) {
  check_recipe(recipe);
  pool_ = std::make_shared<ThreadPool>(static_cast<int>(recipe.threads));
  std::vector<std::string> problems;
  data_ = open_datasets(recipe, problems);
  report_problems(problems);
  report_problems(empty_classes(data_));
  graph_ = build_graph(recipe, *data_.train);
  loader_ = std::make_unique<Loader>(data_.train, training_loader_options(recipe, graph_));
  validation_loader_ = std::make_unique<Loader>(data_.validation, validation_loader_options(recipe, graph_));
  steps_per_epoch_ = loader_->steps_per_epoch();
  last_step_ = steps_per_epoch_ * recipe.epochs;
  if (recipe.steps > 0) last_step_ = std::min(last_step_, recipe.steps);
  learner_ = std::make_unique<Learner>(recipe, graph_, steps_per_epoch_, pool_);
  const Origin origin = origin_of(data_);
  if (options.resume) resume(origin);
  if (!resumed_) {
    problems.clear();
    notes_ = learner_->start_from_file(problems);
    report_problems(problems);
  }
  notes_.insert(notes_.begin(), balance_line(data_));
  state_.recipe = recipe;
  state_.origin = origin;
  const std::string text = to_json(recipe);
  write_file_atomically(folder_.recipe(), text.data(), text.size());
  const std::string classes = class_map_json(data_);
  write_file_atomically(folder_.classes(), classes.data(), classes.size());
  log_ = std::make_unique<MetricsLog>(folder_.metrics(), state_.log_size);
}

void Trainer::resume(const Origin& now) {
  if (!folder_.has_checkpoint()) return;  // interrupted before the first one: begins anew
  state_ = load_checkpoint(folder_.checkpoint());
  check_resumable(state_.recipe, recipe_);
  if (!state_.origin.data.empty() && state_.origin.data != now.data)
    throw Error(recipe_.data.train + ": the run began with other data, of fingerprint " + state_.origin.data +
                "; this has " + now.data);
  if (!state_.origin.isa.empty())
    for (const std::string& difference : differences(state_.origin, now))
      report_problems({"the run began with " + difference + ": it may not end in the same bits"});
  learner_->restore(state_);
  resumed_ = true;
  std::vector<Integer> kept;
  for (const KeptCheckpoint& one : state_.kept) kept.push_back(one.epoch);
  folder_.keep_only(kept);
  last_checkpoint_ = "the last good checkpoint is " + folder_.checkpoint() + " of step " + std::to_string(state_.step);
}

RunResult Trainer::run() {
  const Shape& shape = graph_.input().shape;
  observer_.on_plan({recipe_, graph_.name, summary(graph_), shape[0], shape[1], data_.train->size(),
                     data_.validation->size(), steps_per_epoch_, state_.step, last_step_, pool_->threads(),
                     std::string(to_string(selected_isa())), data_.train->classes(), notes_});
  lap_start_ = Clock::now();
  while (!done()) {
    if (state_.closed) run_epoch();
    const bool stopped = state_.closed || !close_epoch();
    write_checkpoint();
    if (stopped) return {true, time_over(), false, state_.step, state_.best};
  }
  return {false, false, stopped_early() && state_.step < last_step_, state_.step, state_.best};
}

// Runs the steps that are left of the epoch; then, unless it was stopped before, the epoch is not closed.
void Trainer::run_epoch() {
  const Integer first = state_.step / steps_per_epoch_ * steps_per_epoch_;
  const Integer end = std::min(first + steps_per_epoch_, last_step_);
  loader_->begin_epoch(static_cast<Index>(first / steps_per_epoch_), static_cast<Index>(state_.step - first));
  while (state_.step < end && !stop_requested()) {
    const Clock::time_point asked = Clock::now();
    const std::optional<Batch> batch = loader_->next();
    const double waiting = seconds_since(asked);
    if (!batch) {
      state_.step = end;  // the last batches had no readable picture
      break;
    }
    if (state_.step == 0) observer_.on_first_batch(*batch);
    state_.step = first + static_cast<Integer>(batch->step) + 1;
    train_step(*batch, waiting);
    const bool due = recipe_.checkpoint_every > 0 && state_.step % recipe_.checkpoint_every == 0;
    if (due && state_.step < end) write_checkpoint();
  }
  state_.closed = state_.step < end;
}

void Trainer::train_step(const Batch& batch, double waiting) {
  Learner::Outcome outcome;
  try {
    outcome = learner_->learn(batch, state_.step);
  } catch (const Error& error) {
    throw Error(error.what() + ("; " + last_checkpoint_));
  }
  Tally tally;
  tally.images = static_cast<Integer>(batch.labels.size());
  tally.loss = outcome.loss * static_cast<double>(tally.images);
  tally.right = outcome.right;
  tally.seconds = step_seconds_ = lap();
  tally.waiting = waiting;
  ++steps_here_;
  state_.epoch += tally;
  state_.interval += tally;
  if (state_.step % recipe_.log_every == 0) {
    log_->write(interval_line(state_, epoch() + 1, outcome.learning_rate));
    state_.interval = {};
    report_problems(loader_->problems());
  }
  observer_.on_step({state_.step, epoch() + 1, outcome.learning_rate, state_.epoch, tally.images, tally.seconds});
}

// False if it was stopped before it was done.
bool Trainer::close_epoch() {
  const Integer number = epoch() + 1;
  if (state_.epoch.images == 0) throw Error("epoch " + std::to_string(number) + ": no training picture could be read");
  ValidationReport report;
  report.step = state_.step;
  report.epoch = number;
  report.training = state_.epoch;
  std::optional<Evaluation> weights, average;
  if (number % recipe_.validate_every == 0 || state_.step == last_step_) {
    if (stop_requested()) return false;
    observer_.on_validation_begin();
    weights = validate(learner_->weights());
    if (weights && learner_->average() != nullptr) average = validate(*learner_->average());
    if (!weights || (learner_->average() != nullptr && !average)) return false;
    report.weights = score_of(*weights);
    if (average) report.average = score_of(*average);
    report.metrics = prefers_average(report) ? &average->metrics : &weights->metrics;
    save_if_wanted(report);
  }
  report.seconds = lap();
  log_->write(validation_line(report, state_.seconds));
  report_problems(loader_->problems());
  warn_of_waiting();
  if (state_.step % steps_per_epoch_ == 0) state_.epoch = {};
  state_.closed = true;
  if (report.weights) note_progress(report);
  observer_.on_validation(report);
  observer_.on_tensors({state_.step, number, learner_->learning_weights(), learner_->gradients()});
  return true;
}

std::optional<Evaluation> Trainer::validate(const Weights& weights) {
  EvaluationHooks hooks;
  hooks.stop = [this] { return stop_requested(); };
  Evaluation evaluation = evaluate(model_with(weights), *validation_loader_, pool_, hooks);
  report_problems(validation_loader_->problems());
  if (!evaluation.complete) return std::nullopt;
  return evaluation;
}

// Of the weights and their average, which is to be saved.
bool Trainer::prefers_average(const ValidationReport& report) const {
  return report.average && (recipe_.save == "last" || report.average->top1 >= report.weights->top1);
}

void Trainer::save_if_wanted(ValidationReport& report) {
  const bool averaged = prefers_average(report);
  const double top1 = averaged ? report.average->top1 : report.weights->top1;
  if (recipe_.save != "last" && top1 <= state_.best) return;
  save_model(model_with(averaged ? *learner_->average() : learner_->weights()), folder_.model());
  state_.best = top1;
  report.saved = true;
}

// What early stopping and the checkpoints that are kept follow from.
void Trainer::note_progress(const ValidationReport& report) {
  const double top1 = std::max(report.weights->top1, report.average ? report.average->top1 : 0);
  ++state_.stale;
  if (state_.highest < 0 || top1 > state_.highest + recipe_.min_improvement) {
    state_.highest = top1;
    state_.stale = 0;
  }
  std::erase_if(state_.kept, [&report](const KeptCheckpoint& one) { return one.epoch == report.epoch; });
  const auto place = std::find_if(state_.kept.begin(), state_.kept.end(),
                                  [top1](const KeptCheckpoint& one) { return top1 > one.top1; });
  state_.kept.insert(place, {report.epoch, top1});
  const std::size_t most = static_cast<std::size_t>(recipe_.keep_best);
  if (state_.kept.size() > most) state_.kept.resize(most);
}

void Trainer::write_checkpoint() {
  const Clock::time_point begin = Clock::now();
  try {
    learner_->check_finite(state_.step);
  } catch (const Error& error) {
    throw Error(error.what() + ("; " + last_checkpoint_));
  }
  learner_->save(state_);
  log_->sync();
  state_.log_size = log_->size();
  keep_checkpoint();
  save_checkpoint(state_, folder_.checkpoint());
  std::vector<Integer> kept;
  for (const KeptCheckpoint& one : state_.kept) kept.push_back(one.epoch);
  folder_.keep_only(kept);
  last_checkpoint_ = "the last good checkpoint is " + folder_.checkpoint() + " of step " + std::to_string(state_.step);
  checkpoint_seconds_ = seconds_since(begin);
}

// The same under another name, if the epoch that just ended is one of the best.
void Trainer::keep_checkpoint() {
  if (!state_.closed || state_.step == 0) return;
  for (const KeptCheckpoint& one : state_.kept)
    if (one.epoch == epoch() + 1 && (state_.step % steps_per_epoch_ == 0 || state_.step == last_step_))
      save_checkpoint(state_, folder_.checkpoint_of_epoch(one.epoch));
}

// The time since the last call.
double Trainer::lap() {
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - std::exchange(lap_start_, now)).count();
  state_.seconds += seconds;
  return seconds;
}

// Whether there is no time for another step and a checkpoint. Each process does at least one step.
bool Trainer::time_over() const {
  if (options_.time_limit <= 0 || steps_here_ == 0) return false;
  return seconds_since(begin_) + step_seconds_ + checkpoint_seconds_ >= options_.time_limit;
}

void Trainer::report_problems(const std::vector<std::string>& problems) {
  for (const std::string& problem : problems)
    if (known_problems_.insert(problem).second) observer_.on_problem(problem);
}

void Trainer::warn_of_waiting() {
  constexpr double bearable = 0.05;
  const double share = state_.epoch.waiting / std::max(state_.epoch.seconds, 1e-9);
  if (share <= bearable || warned_of_waiting_) return;
  warned_of_waiting_ = true;
  report_problems({"training waits for pictures " + std::to_string(static_cast<int>(100 * share)) +
                   " % of the time; more loader_threads (now " + std::to_string(recipe_.loader_threads) +
                   "), data.in_memory or smaller files may help"});
}

Model Trainer::model_with(const Weights& weights) const {
  // A network may have more classes than the data; those have no names.
  std::vector<std::string> labels = data_.train->classes();
  const std::size_t classes = static_cast<std::size_t>(graph_.output().shape.back());
  while (labels.size() < classes) labels.push_back(std::to_string(labels.size()));
  return {graph_, weights, preprocessing_of(recipe_), labels};
}

}  // namespace

RunResult train(const Recipe& recipe, const RunOptions& options, RunObserver& observer) {
  if (!options.resume && holds_run(options.folder))
    throw Error(options.folder + " holds a run already; resume it, or remove it first");
  return Trainer(recipe, options, observer).run();
}

}  // namespace linnet::training
