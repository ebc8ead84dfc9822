// A recipe: everything that decides how a network is trained, as plain data.
//
// One table (training/recipe/fields.cpp) lists the fields; reading, writing, flags, defaults, checks and help follow
// from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linnet::training {

using Integer = std::int64_t;

/// What each field means stands in the table; defaults stand here.
struct Recipe {
  std::string description;
  std::string source;

  struct Model {
    std::string name;
    Integer classes = 0;
    Integer in_channels = 3;
    Integer height = 0, width = 0;
    Integer stem_stride = 2;
    std::optional<double> dropout;
    double drop_path = 0;
    std::string padding = "default";
    std::optional<double> bn_epsilon;
    std::optional<double> bn_momentum;
    std::string initialisation = "default";
    bool zero_init_last = false;
  } model;

  struct Finetune {
    std::string weights;
    bool new_head = false;
    std::vector<std::string> freeze;
    std::string batch_norm = "train";
  } finetune;

  struct Data {
    std::string train;
    std::string validation;
    std::string kind = "auto";
    double subset = 0;
    double val_split = 0;
    Integer folds = 0, fold = 0;
    Integer split_seed = 0;
    bool strict = false;
    bool in_memory = false;
    Integer resize = 0;
    std::string interpolation = "bilinear";
    std::string crop_mode = "center";
    Integer test_views = 1;
    std::vector<double> mean;
    std::vector<double> std;
  } data;

  struct Augment {
    bool random_resized_crop = false;
    double area_min = 0.08, area_max = 1;
    double ratio_min = 0.75, ratio_max = 4.0 / 3.0;
    Integer crop_padding = 0;
    double flip_probability = 0, vertical_flip_probability = 0;
    std::string policy = "none";
    Integer policy_operations = 2;
    double policy_magnitude = 9, policy_deviation = 0, policy_limit = 10;
    bool policy_increasing = true, policy_weighted = false;
    double policy_probability = 0.5;
    std::string policy_sampling = "default", policy_fill = "default";
    double brightness = 0, contrast = 0, saturation = 0, hue = 0;
    double erase_probability = 0;
    double erase_area_min = 0.02, erase_area_max = 1.0 / 3.0;
    double erase_ratio_min = 0.3;
    std::string erase_fill = "zero";
    Integer erase_count = 1;
    double mixup_alpha = 0, cutmix_alpha = 0;
    double mix_probability = 1, cutmix_share = 0.5;
    std::string mix_mode = "batch";
    bool mix_correct_share = true;
    Integer repeats = 1;
  } augment;

  struct Optimiser {
    std::string kind = "sgd";
    double lr = 0.1;
    double momentum = 0.9;
    double dampening = 0;
    bool nesterov = true;
    double alpha = 0.9;
    bool centered = false;
    bool lr_in_momentum = true;
    bool decoupled_decay = false;
    double beta1 = 0.9;
    std::optional<double> beta2, epsilon;
    bool amsgrad = false;
    bool bias_correction = true;
    bool trust_clip = false;
    bool always_adapt = false;
    double weight_decay = 0;
    bool decay_biases = false, decay_norms = false, decay_all = false;
    std::vector<std::string> no_decay;
    std::vector<std::string> lr_factors;
    double clip_adaptive = 0;
    double clip_value = 0;
    double clip_norm = 0;
    std::string clip_norm_type = "2";
  } optimiser;

  struct Schedule {
    std::string kind = "cosine";
    std::string unit = "step";
    double warmup_epochs = 0;
    double warmup_start = 0;
    bool warmup_prefix = true;
    double minimum = 0;
    double decay_epochs = 1;
    double decay_rate = 0.1;
    std::vector<double> milestones;
    double power = 1;
    Integer cycles = 1;
    double cycle_factor = 1;
    double cycle_decay = 1;
    double rise = 0.3;
    double start_divisor = 25, end_divisor = 1e4;
    bool straight = false;
    bool three_phases = false;
    bool cycle_momentum = true;
    double momentum_low = 0.85, momentum_high = 0.95;
  } schedule;

  struct Ema {
    double decay = 0;
    bool warmup = false;
    double warmup_gamma = 1, warmup_power = 2.0 / 3.0;
    double min_decay = 0;
    Integer update_after_step = 0;
    bool copy_first = true;
    bool average_statistics = true;
  } ema;

  struct Loss {
    std::string kind = "cross_entropy";
    std::string smoothing_towards = "classes";
    std::vector<double> class_weights;
    std::optional<double> threshold;
    bool sum_classes = false;
    double positive_weight = 1;
    std::string teacher;
    std::string teacher_kind = "kl";
    double teacher_weight = 0.5;
    double temperature = 4;
  } loss;

  struct Tracking {
    std::string database = "auto";
    std::string name;
    std::vector<std::string> tags;
    Integer histograms = 0;
    Integer images = 0;
  } tracking;

  struct Comet {
    std::string mode = "auto";
    std::string workspace, project, model;
  } comet;

  double label_smoothing = 0;
  Integer batch = 64;
  Integer accumulate = 1;
  Integer epochs = 10;
  Integer steps = 0;
  Integer seed = 1;
  Integer threads = 0;
  Integer loader_threads = 1;
  Integer validate_every = 1;
  Integer validation_batch = 100;
  Integer checkpoint_every = 0;
  Integer log_every = 50;
  std::string save = "best";
  Integer keep_best = 0;
  Integer patience = 0;
  double min_improvement = 0;
};

struct RecipeField {
  std::string name;      ///< dotted: "optimiser.lr"
  std::string help;      ///< with its range or choices
  std::string fallback;  ///< the default, as JSON
  bool may_change;       ///< when a run is resumed
};

/// All fields in the order of the file.
std::vector<RecipeField> recipe_fields();

/// JSON text -> recipe; fields that it does not have keep their defaults. `source` is for messages. Throws
/// linnet::Error that names an unknown field and the nearest known one, a field that stands there twice, and for a
/// value of a wrong type or out of range what was expected and found.
Recipe recipe_from_json(const std::string& text, const std::string& source);

/// Reads a file. Throws linnet::Error.
Recipe load_recipe(const std::string& path);

/// The whole recipe, defaults included.
std::string to_json(const Recipe& recipe);

/// Sets one field from the text of a flag: as in JSON, but strings need no quotes and lists no brackets ("0.5,0.5").
/// Throws linnet::Error as recipe_from_json.
void set_recipe_field(Recipe& recipe, const std::string& name, const std::string& value);

/// Checks what no field alone can tell. Throws linnet::Error that names the fields.
void check_recipe(const Recipe& recipe);

/// Throws linnet::Error that names the first field that differs, with both values, unless it may change when a run is
/// resumed: those marked so in the table. Data may have moved: what it holds is told by its fingerprint.
void check_resumable(const Recipe& before, const Recipe& now);

}  // namespace linnet::training
