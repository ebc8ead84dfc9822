#include "training/trainer/learner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "linnet/error.h"
#include "linnet/random.h"
#include "linnet/training/metrics.h"
#include "linnet/training/weights.h"
#include "training/trainer/finite.h"
#include "training/trainer/recipe_parts.h"

namespace linnet::training {
namespace {

constexpr const char* advice = "a lower optimiser.lr, a longer schedule.warmup_epochs or optimiser.clip_norm may help";

constexpr std::uint64_t dropout_stream = 0x64726f706f7574;  // any fixed number that no other stream has

std::int64_t bytes_of(const Weights& weights) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : weights) bytes += static_cast<std::int64_t>(tensor.size()) * 4;
  return bytes;
}

// Rows [begin, begin + count) of a batch, as a batch by itself; the storage is shared.
Batch part_of(const Batch& batch, Index begin, Index count) {
  if (count == batch.input.dimension(0)) return batch;
  Batch part;
  part.step = batch.step;
  Shape shape = batch.input.shape();
  shape.front() = count;
  const Index row = batch.input.size() / batch.input.dimension(0);
  part.input = Tensor(shape);
  std::copy_n(batch.input.data() + begin * row, count * row, part.input.data());
  part.labels.assign(batch.labels.begin() + begin, batch.labels.begin() + begin + count);
  return part;
}

// Rows [begin, begin + count) of a matrix.
Tensor rows_of(const Tensor& matrix, Index begin, Index count) {
  const Index columns = matrix.dimension(1);
  Tensor rows({count, columns});
  std::copy_n(matrix.data() + begin * columns, rows.size(), rows.data());
  return rows;
}

// Of a mixed picture the label of its larger part.
int main_label(const Batch& batch, std::size_t sample) {
  const bool own = batch.shares.empty() || batch.shares[sample] >= 0.5f;
  return batch.labels[own ? sample : batch.labels.size() - 1 - sample];
}

// What is left to learn.
Optimiser::Parameters keep_some(const Recipe& recipe, const Graph& graph, TrainingModel& model) {
  for (const std::string& name : kept_tensors(recipe, graph)) model.keep(name);
  Optimiser::Parameters learnable;
  for (const TrainingModel::LearnableParameter& parameter : model.parameters())
    if (parameter.variable.requires_gradient()) learnable.push_back(parameter);
  if (learnable.empty()) throw Error("fields 'finetune.freeze' and 'finetune.batch_norm' leave nothing to learn");
  return learnable;
}

// Weights expect pictures as they were trained with. Files that are no models of ours do not tell.
void compare_preprocessing(const std::string& path, const Preprocessing& now, std::vector<std::string>& problems) {
  Preprocessing before;
  try {
    before = load_model(path).preprocessing;
  } catch (const Error&) {
    return;
  }
  if (before.mean != now.mean || before.std != now.std)
    problems.push_back(path + " was trained on pictures of another mean or deviation than data.mean and data.std");
}

}  // namespace

Learner::Learner(const Recipe& recipe, const Graph& graph, Integer steps_per_epoch, std::shared_ptr<ThreadPool> pool)
    : recipe_(recipe),
      graph_(graph),
      steps_per_epoch_(steps_per_epoch),
      pool_(std::move(pool)),
      model_(graph, initial_weights(graph, static_cast<std::uint64_t>(recipe.seed))),
      learnable_(keep_some(recipe, graph, model_)),
      optimiser_(optimiser_options_of(recipe), learnable_),
      schedule_(schedule_of(recipe, steps_per_epoch)),
      loss_options_(loss_options_of(recipe, graph)) {
  if (!recipe.loss.teacher.empty())
    teacher_ = std::make_unique<Teacher>(recipe.loss.teacher, graph_, preprocessing_of(recipe),
                                         static_cast<Index>(recipe.batch), pool_);
  if (recipe.ema.decay > 0) ema_.emplace(model_.weights(), ema_options_of(recipe));
}

std::vector<std::string> Learner::start_from_file(std::vector<std::string>& problems) {
  const std::string& path = recipe_.finetune.weights;
  if (path.empty()) return {};
  std::vector<std::string> notes;
  try {
    Weights weights = read_weights(path);
    const Weights initial = model_.weights();
    notes = adapt_weights(graph_, weights, {.head = &initial, .always_new_head = recipe_.finetune.new_head});
    model_.set_weights(weights);
  } catch (const Error& error) {
    const std::string message = error.what();
    throw Error("field 'finetune.weights': " + (message.starts_with(path) ? message : path + ": " + message));
  }
  compare_preprocessing(path, preprocessing_of(recipe_), problems);
  if (ema_) ema_->set_average(model_.weights());
  notes.insert(notes.begin(), "starts from " + path);
  return notes;
}

Learner::Outcome Learner::learn(const Batch& batch, Integer step) {
  const double time = schedule_time(recipe_, step - 1, steps_per_epoch_);
  Outcome outcome;
  outcome.learning_rate = learning_rate(schedule_, time);
  for (auto& parameter : learnable_) parameter.variable.clear_gradient();

  const Index samples = batch.input.dimension(0), most = static_cast<Index>(recipe_.batch);
  const Tensor targets = targets_of(batch);
  for (Index begin = 0, number = 0; begin < samples; begin += most, ++number) {
    const Batch part = part_of(batch, begin, std::min(most, samples - begin));
    const Index count = part.input.dimension(0);
    const std::uint64_t seed =
        CounterRandom(static_cast<std::uint64_t>(recipe_.seed), dropout_stream + static_cast<std::uint64_t>(number))
            .bits(static_cast<std::uint64_t>(step));
    const autograd::Variable logits = model_.forward(part.input, TrainingModel::Mode::training, seed, *pool_);
    const double share = static_cast<double>(count) / static_cast<double>(samples);
    const autograd::Variable loss = loss_for(part.input, rows_of(targets, begin, count), logits, share);
    const double value = static_cast<double>(loss.value().data()[0]);
    if (!std::isfinite(value)) explain("the loss is " + std::to_string(value), part, step, outcome.learning_rate, seed);
    outcome.loss += value;
    const Index classes = logits.value().shape().back();
    for (Index i = 0; i < count; ++i) {
      const float* const row = logits.value().data() + i * classes;
      outcome.right += predicted_class({row, static_cast<std::size_t>(classes)}) ==
                       main_label(batch, static_cast<std::size_t>(begin + i));
    }
    autograd::backward(loss, *pool_);
  }
  check_gradients(step, outcome.learning_rate);
  clip_gradients();
  optimiser_.step(outcome.learning_rate, *pool_,
                  recipe_.schedule.cycle_momentum ? scheduled_momentum(schedule_, time) : std::nullopt);
  if (ema_) ema_->update(model_.weights(), step, *pool_);
  return outcome;
}

Weights Learner::learning_weights() const {
  Weights weights;
  for (const auto& parameter : learnable_) weights.emplace(parameter.name, parameter.variable.value());
  return weights;
}

Weights Learner::gradients() const {
  Weights gradients;
  for (const auto& parameter : learnable_)
    if (!parameter.variable.gradient().empty()) gradients.emplace(parameter.name, parameter.variable.gradient());
  return gradients;
}

Tensor Learner::targets_of(const Batch& batch) const {
  const Index classes = graph_.output().shape.back();
  const float towards = recipe_.loss.smoothing_towards == "half" ? 0.5f : 1 / static_cast<float>(classes);
  const Tensor targets = smoothed(one_hot(batch.labels, classes), static_cast<float>(recipe_.label_smoothing), towards);
  return batch.shares.empty() ? targets : mixed_targets(targets, batch.shares);
}

// `share` of the whole loss, which is what a part of the batch makes up.
autograd::Variable Learner::loss_for(const Tensor& input, const Tensor& targets, const autograd::Variable& logits,
                                     double share) {
  const autograd::Variable loss = loss_of(logits, targets, loss_options_, *pool_);
  if (!teacher_) return share == 1 ? loss : weighted_sum({{loss, share}});
  const autograd::Variable distance =
      distillation(logits, teacher_->logits(input), recipe_.loss.teacher_kind, recipe_.loss.temperature, *pool_);
  const double weight = recipe_.loss.teacher_weight;
  return weighted_sum({{loss, (1 - weight) * share}, {distance, weight * share}});
}

void Learner::clip_gradients() {
  const Recipe::Optimiser& limits = recipe_.optimiser;
  if (limits.clip_adaptive > 0) {
    std::vector<std::string> classifier;
    for (const Parameter& parameter : classifier_parameters(graph_)) classifier.push_back(parameter.name);
    clip_gradient_adaptive(learnable_, limits.clip_adaptive, *pool_, classifier);
  }
  if (limits.clip_value > 0) clip_gradient_value(learnable_, limits.clip_value, *pool_);
  if (limits.clip_norm > 0)
    clip_gradient_norm(learnable_, limits.clip_norm, *pool_, gradient_norm_from_name(limits.clip_norm_type));
}

Learner::Bytes Learner::bytes() {
  Bytes bytes;
  bytes.weights = bytes_of(model_.weights());
  for (const auto& parameter : learnable_)
    bytes.gradients += static_cast<std::int64_t>(parameter.variable.value().size()) * 4;
  bytes.optimiser = bytes_of(optimiser_.state());
  if (ema_) bytes.average = bytes_of(ema_->average());
  return bytes;
}

void Learner::save(Checkpoint& checkpoint) const {
  checkpoint.weights = model_.weights();
  checkpoint.optimiser = optimiser_.state();
  if (ema_) checkpoint.average = ema_->average();
}

void Learner::restore(const Checkpoint& checkpoint) {
  model_.set_weights(checkpoint.weights);
  optimiser_.set_state(checkpoint.optimiser);
  if (ema_) ema_->set_average(checkpoint.average);
}

std::string Learner::place(Integer step) const {
  return "step " + std::to_string(step) + " (epoch " + std::to_string((step - 1) / steps_per_epoch_ + 1) + "): ";
}

void Learner::explain(const std::string& what, const Batch& batch, Integer step, double rate, std::uint64_t seed) {
  throw Error(place(step) + what + " at learning rate " + std::to_string(rate) + ", " +
              where_not_finite(graph_, model_.weights(), batch.input, seed, *pool_) + "; " + advice);
}

void Learner::check_gradients(Integer step, double rate) {
  // On its way back the first one is that of the last layer.
  std::vector<const Tensor*> gradients;
  for (auto& parameter : learnable_) gradients.push_back(&parameter.variable.gradient());
  const std::vector<bool> finite = are_finite(gradients, *pool_);
  for (std::size_t i = finite.size(); i-- > 0;)
    if (!finite[i])
      throw Error(place(step) + "the gradient of " + learnable_[i].name + " is not finite at learning rate " +
                  std::to_string(rate) + "; " + advice);
}

void Learner::check_finite(Integer step) const {
  const Weights weights = model_.weights();
  std::vector<const Tensor*> tensors;
  for (const auto& [name, tensor] : weights) tensors.push_back(&tensor);
  const std::vector<bool> finite = are_finite(tensors, *pool_);
  auto found = finite.begin();
  for (const auto& [name, tensor] : weights)
    if (!*found++) throw Error(place(step) + name + " is not finite; " + advice);
}

}  // namespace linnet::training
