#include "linnet/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "linnet/cpu.h"
#include "linnet/error.h"
#include "linnet/random.h"
#include "linnet/safetensors.h"
#include "linnet/training/evaluation.h"
#include "linnet/training/losses.h"
#include "linnet/training/weights.h"
#include "linnet/training_model.h"
#include "training/trainer/metrics_lines.h"
#include "training/trainer/recipe_parts.h"
#include "training/trainer/run_folder.h"
#include "training/trainer/teacher.h"

namespace linnet::training {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t dropout_stream = 0x64726f706f7574;  // any fixed number that no other stream has

// Of a mixed picture the label of its larger part.
int main_label(const Batch& batch, std::size_t sample) {
  const bool own = batch.shares.empty() || batch.shares[sample] >= 0.5f;
  return batch.labels[own ? sample : batch.labels.size() - 1 - sample];
}

class Trainer {
 public:
  Trainer(const Recipe& recipe, const RunOptions& options, RunObserver& observer);
  RunResult run();

 private:
  void resume();
  void run_epoch();
  void train_step(const Batch& batch);
  autograd::Variable loss_for(const Batch& batch, const autograd::Variable& logits);
  void clip_gradients();
  bool close_epoch();
  std::optional<Score> validate(const Weights& weights);
  void save_if_wanted(ValidationReport& report);
  void write_checkpoint();
  double lap();
  void report_problems(const std::vector<std::string>& problems);
  bool stop_requested() const { return options_.stop_requested && options_.stop_requested(); }
  Model model_with(const Weights& weights) const;
  Integer epoch() const { return (state_.step - 1) / steps_per_epoch_; }  ///< of the last step done

  const Recipe& recipe_;
  const RunOptions& options_;
  RunObserver& observer_;
  RunFolder folder_;
  std::shared_ptr<ThreadPool> pool_;
  Datasets data_;
  Graph graph_;
  std::unique_ptr<Loader> loader_, validation_loader_;
  Integer steps_per_epoch_ = 0, last_step_ = 0;
  Schedule schedule_;
  LossOptions loss_options_;
  std::unique_ptr<Teacher> teacher_;
  std::unique_ptr<TrainingModel> model_;
  std::unique_ptr<Optimiser> optimiser_;
  std::optional<Ema> ema_;
  std::unique_ptr<MetricsLog> log_;
  Checkpoint state_;  ///< its tensors are filled in when it is written
  Clock::time_point lap_start_;
  std::set<std::string> known_problems_;
};

Trainer::Trainer(const Recipe& recipe, const RunOptions& options, RunObserver& observer)
    : recipe_(recipe), options_(options), observer_(observer), folder_(options.folder) {
  check_recipe(recipe);
  pool_ = std::make_shared<ThreadPool>(static_cast<int>(recipe.threads));
  std::vector<std::string> problems;
  data_ = open_datasets(recipe, problems);
  report_problems(problems);
  graph_ = build_graph(recipe, *data_.train);
  loader_ = std::make_unique<Loader>(data_.train, training_loader_options(recipe, graph_));
  validation_loader_ = std::make_unique<Loader>(data_.validation, validation_loader_options(recipe, graph_));
  steps_per_epoch_ = loader_->steps_per_epoch();
  last_step_ = steps_per_epoch_ * recipe.epochs;
  if (recipe.steps > 0) last_step_ = std::min(last_step_, recipe.steps);
  schedule_ = schedule_of(recipe, steps_per_epoch_);

  model_ = std::make_unique<TrainingModel>(graph_, initial_weights(graph_, static_cast<std::uint64_t>(recipe.seed)));
  optimiser_ = std::make_unique<Optimiser>(optimiser_options_of(recipe), model_->parameters());
  loss_options_ = loss_options_of(recipe, graph_);
  if (!recipe.loss.teacher.empty())
    teacher_ = std::make_unique<Teacher>(recipe.loss.teacher, graph_, preprocessing_of(recipe),
                                         loader_->options().batch, pool_);
  if (recipe.ema.decay > 0) ema_.emplace(model_->weights(), ema_options_of(recipe));
  if (options.resume) resume();
  state_.recipe = recipe;
  const std::string text = to_json(recipe);
  write_file_atomically(folder_.recipe(), text.data(), text.size());
  log_ = std::make_unique<MetricsLog>(folder_.metrics(), state_.log_size);
}

void Trainer::resume() {
  if (!folder_.has_checkpoint()) return;  // interrupted before the first one: begins anew
  state_ = load_checkpoint(folder_.checkpoint());
  check_resumable(state_.recipe, recipe_);
  model_->set_weights(state_.weights);
  optimiser_->set_state(state_.optimiser);
  if (ema_) ema_->set_average(state_.average);
}

RunResult Trainer::run() {
  const Shape& shape = graph_.input().shape;
  observer_.on_plan({recipe_, graph_.name, summary(graph_), shape[0], shape[1], data_.train->size(),
                     data_.validation->size(), steps_per_epoch_, state_.step, last_step_, pool_->threads(),
                     std::string(to_string(selected_isa()))});
  lap_start_ = Clock::now();
  while (state_.step < last_step_ || !state_.closed) {
    if (state_.closed) run_epoch();
    const bool stopped = state_.closed || !close_epoch();
    write_checkpoint();
    if (stopped) return {true, state_.step, state_.best};
  }
  return {false, state_.step, state_.best};
}

// Runs the steps that are left of the epoch; then, unless it was stopped before, the epoch is not closed.
void Trainer::run_epoch() {
  const Integer first = state_.step / steps_per_epoch_ * steps_per_epoch_;
  const Integer end = std::min(first + steps_per_epoch_, last_step_);
  loader_->begin_epoch(static_cast<Index>(first / steps_per_epoch_), static_cast<Index>(state_.step - first));
  while (state_.step < end && !stop_requested()) {
    const std::optional<Batch> batch = loader_->next();
    if (!batch) {
      state_.step = end;  // the last batches had no readable picture
      break;
    }
    state_.step = first + static_cast<Integer>(batch->step) + 1;
    train_step(*batch);
    const bool due = recipe_.checkpoint_every > 0 && state_.step % recipe_.checkpoint_every == 0;
    if (due && state_.step < end) write_checkpoint();
  }
  state_.closed = state_.step < end;
}

autograd::Variable Trainer::loss_for(const Batch& batch, const autograd::Variable& logits) {
  const Index classes = logits.value().shape().back();
  const float towards = recipe_.loss.smoothing_towards == "half" ? 0.5f : 1 / static_cast<float>(classes);
  Tensor targets = smoothed(one_hot(batch.labels, classes), static_cast<float>(recipe_.label_smoothing), towards);
  if (!batch.shares.empty()) targets = mixed_targets(targets, batch.shares);
  const autograd::Variable loss = loss_of(logits, targets, loss_options_, *pool_);
  if (!teacher_) return loss;
  const autograd::Variable distance =
      distillation(logits, teacher_->logits(batch.input), recipe_.loss.teacher_kind, recipe_.loss.temperature, *pool_);
  return weighted_sum(loss, 1 - recipe_.loss.teacher_weight, distance, recipe_.loss.teacher_weight);
}

void Trainer::clip_gradients() {
  const Recipe::Optimiser& limits = recipe_.optimiser;
  if (limits.clip_adaptive > 0) {
    std::vector<std::string> classifier;
    for (const Parameter& parameter : classifier_parameters(graph_)) classifier.push_back(parameter.name);
    clip_gradient_adaptive(model_->parameters(), limits.clip_adaptive, *pool_, classifier);
  }
  if (limits.clip_value > 0) clip_gradient_value(model_->parameters(), limits.clip_value, *pool_);
  if (limits.clip_norm > 0)
    clip_gradient_norm(model_->parameters(), limits.clip_norm, *pool_, gradient_norm_from_name(limits.clip_norm_type));
}

void Trainer::train_step(const Batch& batch) {
  const double time = schedule_time(recipe_, state_.step - 1, steps_per_epoch_);
  const double rate = learning_rate(schedule_, time);
  const std::uint64_t seed = CounterRandom(static_cast<std::uint64_t>(recipe_.seed), dropout_stream)
                                 .bits(static_cast<std::uint64_t>(state_.step));
  const autograd::Variable logits = model_->forward(batch.input, TrainingModel::Mode::training, seed, *pool_);
  const Index classes = logits.value().shape().back();
  const autograd::Variable loss = loss_for(batch, logits);
  const double loss_value = static_cast<double>(loss.value().data()[0]);
  if (!std::isfinite(loss_value))
    throw Error("step " + std::to_string(state_.step) + " (epoch " + std::to_string(epoch() + 1) + "): the loss is " +
                std::to_string(loss_value) + " at learning rate " + std::to_string(rate) +
                "; a lower optimiser.lr, a longer schedule.warmup_epochs or optimiser.clip_norm may help");

  for (auto& parameter : model_->parameters()) parameter.variable.clear_gradient();
  autograd::backward(loss, *pool_);
  clip_gradients();
  optimiser_->step(rate, *pool_, recipe_.schedule.cycle_momentum ? scheduled_momentum(schedule_, time) : std::nullopt);
  if (ema_) ema_->update(model_->weights(), state_.step, *pool_);

  Tally tally;
  tally.images = static_cast<Integer>(batch.labels.size());
  tally.loss = loss_value * static_cast<double>(tally.images);
  for (std::size_t i = 0; i < batch.labels.size(); ++i) {
    const float* const row = logits.value().data() + static_cast<Index>(i) * classes;
    tally.right += predicted_class({row, static_cast<std::size_t>(classes)}) == main_label(batch, i);
  }
  tally.seconds = lap();
  state_.epoch += tally;
  state_.interval += tally;
  if (state_.step % recipe_.log_every == 0) {
    log_->write(interval_line(state_, epoch() + 1, rate));
    state_.interval = {};
    report_problems(loader_->problems());
  }
  observer_.on_step({state_.step, epoch() + 1, rate, state_.epoch, batch.input.dimension(0), tally.seconds});
}

// False if it was stopped before it was done.
bool Trainer::close_epoch() {
  const Integer number = epoch() + 1;
  if (state_.epoch.images == 0) throw Error("epoch " + std::to_string(number) + ": no training picture could be read");
  ValidationReport report;
  report.step = state_.step;
  report.epoch = number;
  report.training = state_.epoch;
  if (number % recipe_.validate_every == 0 || state_.step == last_step_) {
    if (stop_requested()) return false;
    observer_.on_validation_begin();
    report.weights = validate(model_->weights());
    if (report.weights && ema_) report.average = validate(ema_->average());
    if (!report.weights || (ema_ && !report.average)) return false;
    save_if_wanted(report);
  }
  report.seconds = lap();
  log_->write(validation_line(report, state_.seconds));
  report_problems(loader_->problems());
  if (state_.step % steps_per_epoch_ == 0) state_.epoch = {};
  state_.closed = true;
  observer_.on_validation(report);
  return true;
}

std::optional<Score> Trainer::validate(const Weights& weights) {
  EvaluationHooks hooks;
  hooks.stop = options_.stop_requested;
  const Evaluation evaluation = evaluate(model_with(weights), *validation_loader_, pool_, hooks);
  report_problems(validation_loader_->problems());
  if (!evaluation.complete) return std::nullopt;
  return Score{evaluation.loss, evaluation.metrics.top1(), evaluation.metrics.top5()};
}

void Trainer::save_if_wanted(ValidationReport& report) {
  const bool last = recipe_.save == "last";
  const bool averaged = report.average && (last || report.average->top1 >= report.weights->top1);
  const double top1 = averaged ? report.average->top1 : report.weights->top1;
  if (!last && top1 <= state_.best) return;
  save_model(model_with(averaged ? ema_->average() : model_->weights()), folder_.model());
  state_.best = top1;
  report.saved = true;
}

void Trainer::write_checkpoint() {
  state_.weights = model_->weights();
  state_.optimiser = optimiser_->state();
  if (ema_) state_.average = ema_->average();
  log_->sync();
  state_.log_size = log_->size();
  save_checkpoint(state_, folder_.checkpoint());
}

// The time since the last call.
double Trainer::lap() {
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - std::exchange(lap_start_, now)).count();
  state_.seconds += seconds;
  return seconds;
}

void Trainer::report_problems(const std::vector<std::string>& problems) {
  for (const std::string& problem : problems)
    if (known_problems_.insert(problem).second) observer_.on_problem(problem);
}

Model Trainer::model_with(const Weights& weights) const {
  return {graph_, weights, preprocessing_of(recipe_), data_.train->classes()};
}

}  // namespace

RunResult train(const Recipe& recipe, const RunOptions& options, RunObserver& observer) {
  if (!options.resume && holds_run(options.folder))
    throw Error(options.folder + " holds a run already; resume it, or remove it first");
  return Trainer(recipe, options, observer).run();
}

}  // namespace linnet::training
