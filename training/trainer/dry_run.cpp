#include "linnet/training/dry_run.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "linnet/cpu.h"
#include "linnet/error.h"
#include "linnet/random.h"
#include "linnet/training/evaluation.h"
#include "linnet/training/progress.h"
#include "training/trainer/classes.h"
#include "training/trainer/learner.h"
#include "training/trainer/recipe_parts.h"

namespace linnet::training {
namespace {

using Clock = std::chrono::steady_clock;

double lap_of(Clock::time_point& begin) {
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - begin).count();
  begin = now;
  return seconds;
}

std::int64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

/// Grey noise where there is no data.
class MadeUpPictures final : public Dataset {
 public:
  MadeUpPictures(Index count, Index classes, const Shape& shape) : count_(count), shape_(shape) {
    for (Index i = 0; i < classes; ++i) classes_.push_back(std::to_string(i));
  }
  Index size() const override { return count_; }
  const std::vector<std::string>& classes() const override { return classes_; }
  int label(Index index) const override { return static_cast<int>(index % std::ssize(classes_)); }
  std::string name(Index index) const override { return std::to_string(index); }
  Image read(Index index) const override {
    Image image(shape_[0], shape_[1], shape_[2]);
    const CounterRandom random(0, static_cast<std::uint64_t>(index));
    for (std::size_t i = 0; i < image.pixels.size(); ++i)
      image.pixels[i] = static_cast<std::uint8_t>(random.below(i, 256));
    return image;
  }
  std::uint64_t mark(Index index) const override { return static_cast<std::uint64_t>(index); }

 private:
  Index count_;
  Shape shape_;
  std::vector<std::string> classes_;
};

Datasets made_up_data(const Recipe& recipe) {
  if (recipe.model.classes == 0)
    throw Error(recipe.data.train + " is not there; without it a dry run needs field 'model.classes'");
  const Shape any{1, 1, recipe.model.in_channels == 1 ? 1 : 3};
  const Index classes = static_cast<Index>(recipe.model.classes);
  Shape shape = build_graph(recipe, MadeUpPictures(classes, classes, any)).input().shape;
  shape[2] = any[2];
  const Index count = 4 * static_cast<Index>(recipe.batch * recipe.accumulate);
  const auto pictures = std::make_shared<MadeUpPictures>(count, classes, shape);
  return {pictures, pictures};
}

/// As many pictures as take a blink in a step.
Integer trial_batch(const Recipe& recipe, const Summary& model) {
  constexpr Integer macs = 2'000'000'000, fewest = 4;
  return std::min(recipe.batch, std::max(fewest, macs / std::max<Integer>(model.macs, 1)));
}

// The first step also allocates; the fastest of the others counts.
void try_steps(Loader& loader, Learner& learner, DryRun& run) {
  constexpr int most_steps = 4;
  constexpr double enough_seconds = 5;
  double spent = 0, waited = 0;
  int steps = 0;
  Clock::time_point begin = Clock::now();
  loader.begin_epoch(0);
  while (steps < most_steps && (steps < 2 || spent < enough_seconds)) {
    const std::optional<Batch> batch = loader.next();
    if (!batch) break;
    waited += lap_of(begin);
    learner.learn(*batch, static_cast<Integer>(batch->step) + 1);
    const double seconds = lap_of(begin);
    spent += seconds;
    ++steps;
    run.step_seconds = steps <= 2 ? seconds : std::min(run.step_seconds, seconds);
  }
  if (steps == 0) throw Error("no training picture could be read");
  run.waiting_seconds = waited / steps;
}

double validation_seconds(const Model& model, Loader& loader, const std::shared_ptr<ThreadPool>& pool) {
  constexpr int batches = 3;  // the first one also compiles
  int seen = 0;
  double seconds = 0;
  Clock::time_point begin = Clock::now();
  EvaluationHooks hooks;
  hooks.stop = [&] {
    const double lap = lap_of(begin);
    if (seen > 0) seconds = seen == 1 ? lap : std::min(seconds, lap);
    return ++seen > batches;
  };
  const Evaluation evaluation = evaluate(model, loader, pool, hooks);
  if (evaluation.complete) seconds = std::max(seconds, lap_of(begin));
  return seconds * static_cast<double>(loader.steps_per_epoch());
}

std::string format_line(const char* pattern, auto... values) {
  char text[320];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::string megabytes(std::int64_t bytes) { return format_line("%.1f MB", static_cast<double>(bytes) / 1e6); }

}  // namespace

DryRun dry_run(const Recipe& recipe) {
  check_recipe(recipe);
  DryRun run;
  const auto pool = std::make_shared<ThreadPool>(static_cast<int>(recipe.threads));
  std::error_code ignored;
  run.made_up = !std::filesystem::exists(recipe.data.train, ignored);
  const Datasets data = run.made_up ? made_up_data(recipe) : open_datasets(recipe, run.notes);
  const Graph graph = build_graph(recipe, *data.train);
  const Integer steps_per_epoch = Loader(data.train, training_loader_options(recipe, graph)).steps_per_epoch();

  run.recipe = recipe;
  run.model_name = graph.name;
  run.model = summary(graph);
  const auto batched = [&recipe](Shape shape) {
    shape.insert(shape.begin(), static_cast<Index>(recipe.batch));
    return shape;
  };
  run.input = batched(graph.input().shape);
  run.output = batched(graph.output().shape);
  run.threads = pool->threads();
  run.isa = to_string(selected_isa());
  if (run.made_up) {
    run.notes.push_back(recipe.data.train + " is not there: the trial steps are on noise");
  } else {
    run.training_images = data.train->size();
    run.validation_images = data.validation->size();
    run.data_fingerprint = origin_of(data).data;
    run.steps_per_epoch = steps_per_epoch;
    run.steps = steps_per_epoch * recipe.epochs;
    if (recipe.steps > 0) run.steps = std::min(run.steps, recipe.steps);
    run.classes = balance_table(data);
    for (const std::string& problem : empty_classes(data)) run.notes.push_back(problem);
  }

  Recipe trial = recipe;
  trial.batch = trial.validation_batch = trial_batch(recipe, run.model);
  trial.accumulate = 1;
  Loader loader(data.train, training_loader_options(trial, graph));
  Loader validation_loader(data.validation, validation_loader_options(trial, graph));
  Learner learner(trial, graph, loader.steps_per_epoch(), pool);
  if (!std::filesystem::exists(recipe.finetune.weights, ignored) && !recipe.finetune.weights.empty()) {
    run.notes.push_back(recipe.finetune.weights + " is not there: the trial steps are on initial weights");
  } else {
    for (const std::string& note : learner.start_from_file(run.notes)) run.notes.push_back(note);
  }
  try_steps(loader, learner, run);
  const double scale = static_cast<double>(recipe.batch * recipe.accumulate) / static_cast<double>(trial.batch);
  run.step_seconds *= scale;
  run.waiting_seconds *= scale;
  const Model model{graph, learner.weights(), preprocessing_of(recipe), {}};
  run.validation_seconds =
      run.made_up ? 0 : validation_seconds(model, validation_loader, pool) * (recipe.ema.decay > 0 ? 2 : 1);

  const Learner::Bytes bytes = learner.bytes();
  const std::int64_t picture = static_cast<std::int64_t>(element_count(graph.input().shape)) * 4;
  run.memory = {bytes.weights,
                bytes.gradients,
                bytes.optimiser,
                bytes.average,
                run.model.activation_bytes * recipe.batch,
                picture * recipe.batch * recipe.accumulate * (recipe.loader_threads + 1),
                peak_bytes(),
                static_cast<Index>(trial.batch)};
  const Integer epochs = (run.steps + steps_per_epoch - 1) / steps_per_epoch;
  const Integer validations = (epochs + recipe.validate_every - 1) / recipe.validate_every;
  run.total_seconds = static_cast<double>(run.steps) * (run.step_seconds + run.waiting_seconds) +
                      static_cast<double>(validations) * run.validation_seconds;
  return run;
}

std::string to_text(const DryRun& run) {
  std::string text = to_json(run.recipe) + "\n" + run.model_name + "\n";
  for (const LayerSummary& layer : run.model.layers)
    text += format_line("  %-44s %-18s %-18s %12lld\n", layer.name.c_str(), layer.op.c_str(),
                        to_string(layer.shape).c_str(), static_cast<long long>(layer.parameters));
  text += format_line("\ninput %s, output %s; %.2f M parameters, %.1f M multiply-adds per picture\n",
                      to_string(run.input).c_str(), to_string(run.output).c_str(),
                      static_cast<double>(run.model.parameters) / 1e6, static_cast<double>(run.model.macs) / 1e6);
  text += run.classes;
  for (const std::string& note : run.notes) text += note + "\n";
  if (!run.made_up) {
    text += format_line("%lld pictures to train on, %lld to validate, fingerprint %s\n",
                        static_cast<long long>(run.training_images), static_cast<long long>(run.validation_images),
                        run.data_fingerprint.c_str());
    text += format_line("%lld steps, %lld per epoch\n", static_cast<long long>(run.steps),
                        static_cast<long long>(run.steps_per_epoch));
  }
  text += format_line("%d %s, %s kernels\n", run.threads, run.threads == 1 ? "thread" : "threads", run.isa.c_str());
  const MemoryPlan& memory = run.memory;
  text += "memory: weights " + megabytes(memory.weights) + ", gradients " + megabytes(memory.gradients) +
          ", optimiser " + megabytes(memory.optimiser) + ", average " + megabytes(memory.average) +
          ", outputs of all layers " + megabytes(memory.activations) + ", batches ahead " + megabytes(memory.batches) +
          "; measured peak of trial steps with " + std::to_string(memory.peak_batch) + " pictures " +
          megabytes(memory.peak) + "\n";
  text += format_line("time: %.3f s per step of %lld pictures", run.step_seconds,
                      static_cast<long long>(run.recipe.batch * run.recipe.accumulate));
  if (!run.made_up)
    text += format_line(", %.3f s of waiting for them, ", run.waiting_seconds) + duration_text(run.validation_seconds) +
            " per validation, about " + duration_text(run.total_seconds) + " in all";
  return text + "\n";
}

}  // namespace linnet::training
