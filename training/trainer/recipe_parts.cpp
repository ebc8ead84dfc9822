#include "training/trainer/recipe_parts.h"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "linnet/architectures.h"
#include "linnet/error.h"
#include "linnet/training/trainer.h"
#include "training/data/selection.h"

namespace linnet::training {
namespace {

Index to_index(Integer value) { return static_cast<Index>(value); }

std::optional<float> to_float(const std::optional<double>& value) {
  if (!value) return std::nullopt;
  return static_cast<float>(*value);
}

std::vector<float> per_channel(const std::vector<double>& values, Integer channels, float fallback) {
  if (values.empty()) return std::vector<float>(static_cast<std::size_t>(channels), fallback);
  return {values.begin(), values.end()};
}

std::shared_ptr<const Dataset> open_one(const Recipe& recipe, const std::string& path, Split split,
                                        std::vector<std::string>& problems) {
  DatasetOptions options;
  options.kind = dataset_kind_from_name(recipe.data.kind);
  options.split = split;
  options.strict = recipe.data.strict;
  std::shared_ptr<const Dataset> dataset = open_dataset(path, options);
  for (const std::string& name : dataset->foreign_files()) problems.push_back(path + ": " + name + " is no picture");
  return dataset;
}

std::shared_ptr<const Dataset> in_memory(const Recipe& recipe, const Dataset& dataset,
                                         std::vector<std::string>& problems) {
  std::vector<std::string> damaged;
  auto loaded = load_into_memory(dataset, static_cast<int>(recipe.loader_threads) + 1, damaged);
  if (recipe.data.strict && !damaged.empty()) throw Error(damaged.front());
  problems.insert(problems.end(), damaged.begin(), damaged.end());
  return loaded;
}

// Both from the training pictures.
Datasets divided(const Recipe& recipe, const std::shared_ptr<const Dataset>& all) {
  const std::uint64_t seed = static_cast<std::uint64_t>(recipe.data.split_seed);
  const DrawnParts parts = recipe.data.folds > 0
                               ? draw_fold(*all, to_index(recipe.data.folds), to_index(recipe.data.fold), seed)
                               : draw_share(*all, recipe.data.val_split, seed);
  if (parts.drawn.empty() || parts.rest.empty())
    throw Error(recipe.data.train + " has " + std::to_string(all->size()) +
                " pictures, too few for data.val_split or data.folds");
  return {select(all, parts.rest), select(all, parts.drawn)};
}

std::shared_ptr<const Dataset> subset_of(const Recipe& recipe, const std::shared_ptr<const Dataset>& all) {
  const std::uint64_t seed = static_cast<std::uint64_t>(recipe.data.split_seed);
  const double subset = recipe.data.subset;
  DrawnParts parts =
      subset < 1 ? draw_share(*all, subset, seed) : draw_count(*all, static_cast<Index>(std::min(subset, 1e9)), seed);
  if (parts.drawn.empty()) throw Error("field 'data.subset' leaves no training picture of " + recipe.data.train);
  return select(all, std::move(parts.drawn));
}

// An image folder without parts is opened as the same pictures twice.
bool same_pictures(const Dataset& a, const Dataset& b) {
  if (a.size() != b.size() || a.name(0) != b.name(0) || a.name(a.size() - 1) != b.name(b.size() - 1)) return false;
  try {
    return a.read(0) == b.read(0);
  } catch (const Error&) {
    return true;  // damaged in both
  }
}

LoaderOptions loader_options(const Recipe& recipe, const Graph& graph) {
  LoaderOptions options;
  options.threads = static_cast<int>(recipe.loader_threads);
  options.seed = static_cast<std::uint64_t>(recipe.seed);
  options.strict = recipe.data.strict;
  const Shape& shape = graph.input().shape;
  options.height = shape[0];
  options.width = shape[1];
  options.channels = shape[2];
  options.preprocessing = preprocessing_of(recipe);
  return options;
}

Augmentation augmentation_of(const Recipe& recipe) {
  const Recipe::Augment& augment = recipe.augment;
  return {.random_resized_crop = augment.random_resized_crop,
          .area_min = augment.area_min,
          .area_max = augment.area_max,
          .ratio_min = augment.ratio_min,
          .ratio_max = augment.ratio_max,
          .crop_padding = to_index(augment.crop_padding),
          .flip_probability = augment.flip_probability,
          .vertical_flip_probability = augment.vertical_flip_probability,
          .policy = {.kind = augment.policy,
                     .operations = to_index(augment.policy_operations),
                     .magnitude = augment.policy_magnitude,
                     .magnitude_deviation = augment.policy_deviation,
                     .magnitude_limit = augment.policy_limit,
                     .increasing = augment.policy_increasing,
                     .weighted = augment.policy_weighted,
                     .probability = augment.policy_probability,
                     .sampling = augment.policy_sampling,
                     .fill = augment.policy_fill},
          .brightness = augment.brightness,
          .contrast = augment.contrast,
          .saturation = augment.saturation,
          .hue = augment.hue,
          .erasing = {.probability = augment.erase_probability,
                      .area_min = augment.erase_area_min,
                      .area_max = augment.erase_area_max,
                      .ratio_min = augment.erase_ratio_min,
                      .fill = augment.erase_fill,
                      .count = to_index(augment.erase_count)}};
}

// "blocks.*=0.1"
std::vector<std::pair<std::string, double>> lr_factors_of(const Recipe& recipe) {
  std::vector<std::pair<std::string, double>> factors;
  for (const std::string& text : recipe.optimiser.lr_factors) {
    const std::size_t equals = text.rfind('=');
    const std::string number = equals == std::string::npos ? std::string() : text.substr(equals + 1);
    double factor = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), factor);
    if (equals == 0 || number.empty() || error != std::errc() || end != number.data() + number.size() ||
        !(factor > 0 && factor < 1e6))
      throw Error("field 'optimiser.lr_factors' must be a list of PATTERN=FACTOR with factors > 0, found \"" + text +
                  "\"");
    factors.emplace_back(text.substr(0, equals), factor);
  }
  return factors;
}

}  // namespace

Datasets open_datasets(const Recipe& recipe, std::vector<std::string>& problems) {
  const Recipe::Data& data = recipe.data;
  const bool is_divided = data.val_split > 0 || data.folds > 0;
  Datasets datasets;
  datasets.train = open_one(recipe, data.train, Split::train, problems);
  if (is_divided) {
    datasets = divided(recipe, datasets.train);
  } else {
    const std::string& validation = data.validation.empty() ? data.train : data.validation;
    datasets.validation = open_one(recipe, validation, Split::test, problems);
    const std::size_t train_classes = datasets.train->classes().size();
    const std::size_t validation_classes = datasets.validation->classes().size();
    if (datasets.train->classes() != datasets.validation->classes())
      throw Error(data.train + " (training, " + std::to_string(train_classes) + " classes) and " + validation +
                  " (validation, " + std::to_string(validation_classes) + " classes) must have the same classes");
    if (data.validation.empty() && same_pictures(*datasets.train, *datasets.validation))
      throw Error(data.train +
                  " has no test part; field 'data.validation' must name the validation pictures, or 'data.val_split' "
                  "leave some out");
  }
  if (data.subset > 0) datasets.train = subset_of(recipe, datasets.train);
  if (data.in_memory) {
    datasets.train = in_memory(recipe, *datasets.train, problems);
    datasets.validation = in_memory(recipe, *datasets.validation, problems);
  }
  return datasets;
}

std::shared_ptr<const Dataset> validation_data(const Recipe& recipe) {
  check_recipe(recipe);
  std::vector<std::string> ignored;
  return open_datasets(recipe, ignored).validation;
}

Graph build_graph(const Recipe& recipe, const Dataset& train) {
  const Recipe::Model& model = recipe.model;
  const Index found = static_cast<Index>(train.classes().size());
  if (model.classes != 0 && model.classes < static_cast<Integer>(found))
    throw Error("field 'model.classes' is " + std::to_string(model.classes) + ", but " + recipe.data.train + " has " +
                std::to_string(found) + " classes");
  architectures::BuildOptions options;
  options.classes = model.classes == 0 ? found : to_index(model.classes);
  options.in_channels = to_index(model.in_channels);
  options.height = to_index(model.height);
  options.width = to_index(model.width);
  options.stem_stride = to_index(model.stem_stride);
  options.dropout = to_float(model.dropout);
  options.drop_path = static_cast<float>(model.drop_path);
  if (model.padding == "symmetric") options.padding = Padding::Rule::symmetric;
  if (model.padding == "same") options.padding = Padding::Rule::same;
  options.bn_epsilon = to_float(model.bn_epsilon);
  if (model.initialisation != "default") {
    options.initialisation = architectures::initialisation_from_name(model.initialisation);
  }
  options.zero_init_last = model.zero_init_last;
  Graph graph = architectures::build(model.name, options);
  if (model.bn_momentum)
    for (Node& node : graph.nodes)
      if (auto* const batch_norm = std::get_if<op::BatchNorm>(&node.op))
        batch_norm->momentum = static_cast<float>(*model.bn_momentum);
  return graph;
}

Preprocessing preprocessing_of(const Recipe& recipe) {
  Preprocessing preprocessing;
  preprocessing.resize = to_index(recipe.data.resize);
  preprocessing.interpolation = recipe.data.interpolation;
  preprocessing.crop_mode = recipe.data.crop_mode;
  preprocessing.channel_order = recipe.model.in_channels == 1 ? "L" : "RGB";
  preprocessing.mean = per_channel(recipe.data.mean, recipe.model.in_channels, 0);
  preprocessing.std = per_channel(recipe.data.std, recipe.model.in_channels, 1);
  return preprocessing;
}

LoaderOptions training_loader_options(const Recipe& recipe, const Graph& graph) {
  LoaderOptions options = loader_options(recipe, graph);
  options.batch = to_index(recipe.batch * recipe.accumulate);
  options.shuffle = true;
  options.drop_last = true;
  options.augmentation = augmentation_of(recipe);
  const Recipe::Augment& augment = recipe.augment;
  options.mixing = {.mixup_alpha = augment.mixup_alpha,
                    .cutmix_alpha = augment.cutmix_alpha,
                    .probability = augment.mix_probability,
                    .cutmix_share = augment.cutmix_share,
                    .mode = augment.mix_mode,
                    .correct_share = augment.mix_correct_share};
  options.repeats = to_index(augment.repeats);
  return options;
}

LoaderOptions validation_loader_options(const Recipe& recipe, const Graph& graph) {
  LoaderOptions options = loader_options(recipe, graph);
  options.batch = to_index(recipe.validation_batch);
  options.views = to_index(recipe.data.test_views);
  return options;
}

std::vector<std::string> kept_tensors(const Recipe& recipe, const Graph& graph) {
  const Recipe::Finetune& finetune = recipe.finetune;
  std::vector<std::string> kept;
  std::vector<bool> used(finetune.freeze.size());
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    const bool is_norm = std::holds_alternative<op::BatchNorm>(graph.nodes[node].op);
    for (const Parameter& parameter : parameters(graph, static_cast<int>(node))) {
      bool keep = is_norm && finetune.batch_norm != "train" &&
                  (finetune.batch_norm == "freeze" || !is_learnable(parameter.role));
      for (std::size_t i = 0; i < used.size(); ++i) {
        if (fnmatch(finetune.freeze[i].c_str(), parameter.name.c_str(), 0) != 0) continue;
        keep = used[i] = true;
      }
      if (keep) kept.push_back(parameter.name);
    }
  }
  for (std::size_t i = 0; i < used.size(); ++i)
    if (!used[i])
      throw Error("field 'finetune.freeze': no tensor of " + graph.name + " has a name that matches '" +
                  finetune.freeze[i] + "'");
  return kept;
}

OptimiserOptions optimiser_options_of(const Recipe& recipe) {
  const Recipe::Optimiser& optimiser = recipe.optimiser;
  return {.kind = optimiser.kind,
          .momentum = optimiser.momentum,
          .dampening = optimiser.dampening,
          .nesterov = optimiser.nesterov,
          .alpha = optimiser.alpha,
          .centered = optimiser.centered,
          .lr_in_momentum = optimiser.lr_in_momentum,
          .decoupled_decay = optimiser.decoupled_decay,
          .beta1 = optimiser.beta1,
          .beta2 = optimiser.beta2,
          .epsilon = optimiser.epsilon,
          .amsgrad = optimiser.amsgrad,
          .bias_correction = optimiser.bias_correction,
          .trust_clip = optimiser.trust_clip,
          .always_adapt = optimiser.always_adapt,
          .weight_decay = optimiser.weight_decay,
          .decay_biases = optimiser.decay_biases || optimiser.decay_all,
          .decay_norms = optimiser.decay_norms || optimiser.decay_all,
          .no_decay = optimiser.no_decay,
          .lr_factors = lr_factors_of(recipe)};
}

EmaOptions ema_options_of(const Recipe& recipe) {
  const Recipe::Ema& ema = recipe.ema;
  return {.decay = ema.decay,
          .warmup = ema.warmup,
          .warmup_gamma = ema.warmup_gamma,
          .warmup_power = ema.warmup_power,
          .min_decay = ema.min_decay,
          .update_after_step = ema.update_after_step,
          .copy_first = ema.copy_first,
          .average_statistics = ema.average_statistics};
}

LossOptions loss_options_of(const Recipe& recipe, const Graph& graph) {
  const Index classes = graph.output().shape.back();
  const std::size_t weights = recipe.loss.class_weights.size();
  if (weights != 0 && static_cast<Index>(weights) != classes)
    throw Error("field 'loss.class_weights' must have one number per class, " + std::to_string(classes) + ", found " +
                std::to_string(weights));
  return {.kind = recipe.loss.kind,
          .smoothing = recipe.label_smoothing,
          .class_weights = recipe.loss.class_weights,
          .threshold = recipe.loss.threshold,
          .sum_classes = recipe.loss.sum_classes,
          .positive_weight = recipe.loss.positive_weight};
}

Schedule schedule_of(const Recipe& recipe, Integer steps_per_epoch) {
  const double unit = recipe.schedule.unit == "epoch" ? 1 : static_cast<double>(steps_per_epoch);
  const double whole = unit * static_cast<double>(recipe.epochs);
  const double warmup = unit * recipe.schedule.warmup_epochs;
  std::vector<double> milestones = recipe.schedule.milestones;
  for (double& milestone : milestones) milestone *= unit;
  return {.kind = recipe.schedule.kind,
          .learning_rate = recipe.optimiser.lr,
          .minimum = recipe.schedule.minimum,
          .length = recipe.schedule.warmup_prefix ? whole - warmup : whole,
          .warmup = warmup,
          .warmup_start = recipe.schedule.warmup_start,
          .warmup_prefix = recipe.schedule.warmup_prefix,
          .decay_every = unit * recipe.schedule.decay_epochs,
          .decay_rate = recipe.schedule.decay_rate,
          .milestones = milestones,
          .power = recipe.schedule.power,
          .decay_length = unit * recipe.schedule.decay_epochs,
          .cycles = static_cast<int>(recipe.schedule.cycles),
          .cycle_factor = recipe.schedule.cycle_factor,
          .cycle_decay = recipe.schedule.cycle_decay,
          .rise = recipe.schedule.rise,
          .start_divisor = recipe.schedule.start_divisor,
          .end_divisor = recipe.schedule.end_divisor,
          .straight = recipe.schedule.straight,
          .three_phases = recipe.schedule.three_phases,
          .momentum_low = recipe.schedule.momentum_low,
          .momentum_high = recipe.schedule.momentum_high};
}

double schedule_time(const Recipe& recipe, Integer step, Integer steps_per_epoch) {
  return static_cast<double>(recipe.schedule.unit == "epoch" ? step / steps_per_epoch : step);
}

}  // namespace linnet::training
