#include "training/recipe/fields.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "linnet/error.h"

namespace linnet::training {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double largest_index = 0x7fffffff;  // Index may have 32 bits
constexpr Range not_negative{0, infinity};
constexpr Range positive{0, infinity, true};
constexpr Range size_or_zero{0, largest_index};
constexpr Range at_least_one{1, largest_index};
constexpr Range share_range{0, 1};
constexpr Range share_below_one{0, 1, false, true};
constexpr Range positive_share{0, 1, true};
constexpr Range share_open{0, 1, true, true};

#define LINNET_AT(member) [](Recipe& recipe) -> FieldValue { return &recipe.member; }

constexpr std::array table{
    Field{"description", "what this recipe is for", LINNET_AT(description), {}, {}, true},
    Field{"source", "where its numbers come from, and what differs there", LINNET_AT(source), {}, {}, true},

    Field{"model.name", "the network, as `linnet list` shows it", LINNET_AT(model.name)},
    Field{"model.classes", "0: those of the training data", LINNET_AT(model.classes), size_or_zero},
    Field{"model.in_channels", "1: grey, 3: colour", LINNET_AT(model.in_channels), {1, 3}},
    Field{"model.height", "of the input; 0: the network's own", LINNET_AT(model.height), size_or_zero},
    Field{"model.width", "of the input; 0: as the height", LINNET_AT(model.width), size_or_zero},
    Field{"model.stem_stride", "of the first convolution; 1 for small pictures", LINNET_AT(model.stem_stride), {1, 2}},
    Field{"model.dropout", "before the classifier; null: the network's own", LINNET_AT(model.dropout), share_below_one},
    Field{"model.drop_path", "of the last block, growing from 0", LINNET_AT(model.drop_path), share_below_one},
    Field{"model.padding", "of the convolutions", LINNET_AT(model.padding), {}, "default|symmetric|same"},
    Field{"model.bn_epsilon", "null: the network's own", LINNET_AT(model.bn_epsilon), positive},
    Field{"model.bn_momentum", "weight of the new statistics; null: the network's own", LINNET_AT(model.bn_momentum),
          positive_share},
    Field{"model.initialisation",
          "whose way to draw the first weights; default: that of the network's source",
          LINNET_AT(model.initialisation),
          {},
          "default|timm|torchvision|torchvision_efficientnet|torchvision_squeezenet|pytorch|pytorchcv|megvii|slim|"
          "slim_nasnet"},
    Field{"model.zero_init_last", "gamma of the last batch norm in each residual branch is 0 at first",
          LINNET_AT(model.zero_init_last)},

    Field{"finetune.weights",
          "file to start from: a model file, safetensors, or what torch.save wrote; empty: initial weights",
          LINNET_AT(finetune.weights)},
    Field{"finetune.new_head", "the last layer begins anew even where the number of classes is the same",
          LINNET_AT(finetune.new_head)},
    Field{"finetune.freeze",
          "patterns of the names of tensors that stay as they are, with * and ?; a batch norm whose running_mean or "
          "running_var is named keeps its statistics and goes by them",
          LINNET_AT(finetune.freeze)},
    Field{"finetune.batch_norm",
          "all batch norms: learn, keep their statistics and go by them, or keep gamma and beta too",
          LINNET_AT(finetune.batch_norm),
          {},
          "train|keep_statistics|freeze"},

    Field{"data.train", "folder of the training pictures", LINNET_AT(data.train), {}, {}, true},
    Field{"data.validation",
          "folder of the validation pictures; empty: the test part of data.train",
          LINNET_AT(data.validation),
          {},
          {},
          true},
    Field{"data.kind", "how the data is stored", LINNET_AT(data.kind), {}, "auto|idx|cifar10|cifar100|folder|tar"},
    Field{"data.subset",
          "train on so many pictures, alike in number for each class; below 1: on this share of each class; 0: on all",
          LINNET_AT(data.subset), not_negative},
    Field{"data.val_split", "share of the training pictures of each class that is left out to validate on",
          LINNET_AT(data.val_split), share_below_one},
    Field{"data.folds", "divide the training pictures into so many parts and validate on one; 0: do not",
          LINNET_AT(data.folds), not_negative},
    Field{"data.fold", "number of the part to validate on, from 0", LINNET_AT(data.fold), not_negative},
    Field{"data.split_seed", "which pictures subset, val_split and folds draw", LINNET_AT(data.split_seed),
          not_negative},
    Field{"data.strict", "a damaged or foreign file ends the run", LINNET_AT(data.strict)},
    Field{"data.in_memory", "keep all decoded pictures in memory", LINNET_AT(data.in_memory)},
    Field{"data.resize", "shorter side before the centre crop; 0: pictures are used as they are",
          LINNET_AT(data.resize), size_or_zero},
    Field{"data.interpolation", "of all resizing", LINNET_AT(data.interpolation), {}, "bilinear|bicubic"},
    Field{"data.crop_mode", "of the evaluation", LINNET_AT(data.crop_mode), {}, "center|squash|border"},
    Field{"data.test_views",
          "1: the centre; 10: corners, centre and these mirrored, answers averaged",
          LINNET_AT(data.test_views),
          {1, 10}},
    Field{"data.mean", "of value / 255, one per channel; empty: 0", LINNET_AT(data.mean)},
    Field{"data.std", "of value / 255, one per channel; empty: 1", LINNET_AT(data.std), positive},

    Field{"augment.random_resized_crop", "in place of resize and centre crop", LINNET_AT(augment.random_resized_crop)},
    Field{"augment.area_min", "smallest share of the picture", LINNET_AT(augment.area_min), positive_share},
    Field{"augment.area_max", "largest share of the picture", LINNET_AT(augment.area_max), positive_share},
    Field{"augment.ratio_min", "smallest width / height", LINNET_AT(augment.ratio_min), positive},
    Field{"augment.ratio_max", "largest width / height", LINNET_AT(augment.ratio_max), positive},
    Field{"augment.crop_padding", "pad by so many pixels, then crop anywhere", LINNET_AT(augment.crop_padding),
          size_or_zero},
    Field{"augment.flip_probability", "of a mirrored picture", LINNET_AT(augment.flip_probability), share_range},
    Field{"augment.vertical_flip_probability", "of a picture upside down", LINNET_AT(augment.vertical_flip_probability),
          share_range},
    Field{"augment.policy",
          "changes of shape and colour: timm's AutoAugment (original, originalr, v0, v0r), three-augment (3a) and "
          "RandAugment (rand), torchvision's AutoAugment (imagenet, cifar10), RandAugment and TrivialAugmentWide",
          LINNET_AT(augment.policy),
          {},
          "none|auto_original|auto_originalr|auto_v0|auto_v0r|auto_3a|auto_imagenet|auto_cifar10|rand|rand_torchvision|"
          "trivial"},
    Field{"augment.policy_operations", "rand, rand_torchvision: one after the other",
          LINNET_AT(augment.policy_operations), size_or_zero},
    Field{"augment.policy_magnitude", "rand: 0 to 10; rand_torchvision: 0 to 30", LINNET_AT(augment.policy_magnitude),
          not_negative},
    Field{"augment.policy_deviation", "rand and timm's auto_*: of the magnitude, normally distributed",
          LINNET_AT(augment.policy_deviation), not_negative},
    Field{"augment.policy_limit", "rand and timm's auto_*: largest magnitude", LINNET_AT(augment.policy_limit),
          positive},
    Field{"augment.policy_increasing", "rand: operations whose strength grows with the magnitude",
          LINNET_AT(augment.policy_increasing)},
    Field{"augment.policy_weighted", "rand: timm's weights, and no operation twice",
          LINNET_AT(augment.policy_weighted)},
    Field{"augment.policy_probability", "rand: of each operation", LINNET_AT(augment.policy_probability), share_range},
    Field{"augment.policy_sampling",
          "of turned and shifted pictures; default: timm's random, torchvision's nearest",
          LINNET_AT(augment.policy_sampling),
          {},
          "default|nearest|bilinear|bicubic|random"},
    Field{"augment.policy_fill",
          "outside the picture; default: timm's mean, torchvision's black",
          LINNET_AT(augment.policy_fill),
          {},
          "default|mean|black"},
    Field{"augment.brightness", "colour jitter: factors from 1 - this to 1 + this", LINNET_AT(augment.brightness),
          not_negative},
    Field{"augment.contrast", "colour jitter, as brightness", LINNET_AT(augment.contrast), not_negative},
    Field{"augment.saturation", "colour jitter, as brightness", LINNET_AT(augment.saturation), not_negative},
    Field{"augment.hue", "colour jitter: largest turn, as a share of the circle", LINNET_AT(augment.hue), {0, 0.5}},
    Field{"augment.erase_probability", "of random erasing", LINNET_AT(augment.erase_probability), share_range},
    Field{"augment.erase_area_min", "smallest share of the picture", LINNET_AT(augment.erase_area_min), positive_share},
    Field{"augment.erase_area_max", "largest share of the picture", LINNET_AT(augment.erase_area_max), positive_share},
    Field{"augment.erase_ratio_min", "smallest height / width; the largest is 1 / this",
          LINNET_AT(augment.erase_ratio_min), positive_share},
    Field{"augment.erase_fill",
          "zero: the mean colour; colour: one at random; noise: one per pixel",
          LINNET_AT(augment.erase_fill),
          {},
          "zero|colour|noise"},
    Field{"augment.erase_count", "up to so many boxes, which share the area", LINNET_AT(augment.erase_count),
          at_least_one},
    Field{"augment.mixup_alpha", "of the beta distribution; 0: no mixup", LINNET_AT(augment.mixup_alpha), not_negative},
    Field{"augment.cutmix_alpha", "of the beta distribution; 0: no CutMix", LINNET_AT(augment.cutmix_alpha),
          not_negative},
    Field{"augment.mix_probability", "of mixup or CutMix", LINNET_AT(augment.mix_probability), share_range},
    Field{"augment.cutmix_share", "of CutMix, where mixup is on too", LINNET_AT(augment.cutmix_share), share_range},
    Field{"augment.mix_mode", "what has one mixture", LINNET_AT(augment.mix_mode), {}, "batch|pair|element"},
    Field{"augment.mix_correct_share", "CutMix: targets follow the box as it was cut",
          LINNET_AT(augment.mix_correct_share)},
    Field{"augment.repeats", "repeated augmentation: each picture so often in a row, fewer pictures in an epoch",
          LINNET_AT(augment.repeats), at_least_one},

    Field{"optimiser.kind",
          "the rule by which gradients change weights",
          LINNET_AT(optimiser.kind),
          {},
          "sgd|rmsprop|rmsprop_tf|adam|adamw|lamb|lion"},
    Field{"optimiser.lr", "learning rate at the top of the schedule", LINNET_AT(optimiser.lr), positive},
    Field{"optimiser.momentum", "sgd, rmsprop, rmsprop_tf", LINNET_AT(optimiser.momentum), share_below_one},
    Field{"optimiser.dampening", "sgd: share of a gradient that does not go into the momentum",
          LINNET_AT(optimiser.dampening), share_below_one},
    Field{"optimiser.nesterov", "sgd", LINNET_AT(optimiser.nesterov)},
    Field{"optimiser.alpha", "rmsprop, rmsprop_tf: share of the old mean square", LINNET_AT(optimiser.alpha),
          share_below_one},
    Field{"optimiser.centered", "rmsprop, rmsprop_tf: divide by the deviation from the mean gradient",
          LINNET_AT(optimiser.centered)},
    Field{"optimiser.lr_in_momentum", "rmsprop_tf: the learning rate acts on what goes into the momentum",
          LINNET_AT(optimiser.lr_in_momentum)},
    Field{"optimiser.decoupled_decay", "rmsprop_tf: weight decay scales the weights, as in adamw",
          LINNET_AT(optimiser.decoupled_decay)},
    Field{"optimiser.beta1", "adam, adamw, lamb, lion", LINNET_AT(optimiser.beta1), share_below_one},
    Field{"optimiser.beta2", "adam, adamw, lamb, lion; null: 0.999, of lion 0.99", LINNET_AT(optimiser.beta2),
          share_below_one},
    Field{"optimiser.epsilon", "all but sgd and lion; null: 1e-8, of lamb 1e-6, of rmsprop_tf 1e-10",
          LINNET_AT(optimiser.epsilon), positive},
    Field{"optimiser.amsgrad", "adam, adamw: divide by the largest mean square so far", LINNET_AT(optimiser.amsgrad)},
    Field{"optimiser.bias_correction", "lamb: make up for the means' start at 0", LINNET_AT(optimiser.bias_correction)},
    Field{"optimiser.trust_clip", "lamb: no trust ratio above 1", LINNET_AT(optimiser.trust_clip)},
    Field{"optimiser.always_adapt", "lamb: trust ratio also where weights do not decay",
          LINNET_AT(optimiser.always_adapt)},
    Field{"optimiser.weight_decay", "of the weights of convolutions and linear layers",
          LINNET_AT(optimiser.weight_decay), not_negative},
    Field{"optimiser.decay_biases", "decay biases too", LINNET_AT(optimiser.decay_biases)},
    Field{"optimiser.decay_norms", "decay batch norms and layer scales too", LINNET_AT(optimiser.decay_norms)},
    Field{"optimiser.decay_all", "decay biases and batch norms too, not only weights", LINNET_AT(optimiser.decay_all)},
    Field{"optimiser.no_decay", "patterns of the names of parameters that do not decay (*.se.*)",
          LINNET_AT(optimiser.no_decay)},
    Field{"optimiser.lr_factors",
          "PATTERN=FACTOR: parameters whose names match learn at so many times the rate; the first match counts",
          LINNET_AT(optimiser.lr_factors)},
    Field{"optimiser.clip_adaptive",
          "largest norm of the gradient of a unit, as a share of that of its weights; first of the limits; 0: none",
          LINNET_AT(optimiser.clip_adaptive), not_negative},
    Field{"optimiser.clip_value", "largest value in a gradient, second of the limits; 0: none",
          LINNET_AT(optimiser.clip_value), not_negative},
    Field{"optimiser.clip_norm", "largest norm of all gradients together; 0: no limit", LINNET_AT(optimiser.clip_norm),
          not_negative},
    Field{"optimiser.clip_norm_type",
          "1: sum of sizes, 2: Euclidean, inf: largest size",
          LINNET_AT(optimiser.clip_norm_type),
          {},
          "1|2|inf"},

    Field{"schedule.kind",
          "curve of the learning rate",
          LINNET_AT(schedule.kind),
          {},
          "constant|cosine|step|multistep|poly|linear|wsd|one_cycle"},
    Field{"schedule.unit", "how often the learning rate is set anew", LINNET_AT(schedule.unit), {}, "step|epoch"},
    Field{"schedule.warmup_epochs", "linear rise at the beginning", LINNET_AT(schedule.warmup_epochs), not_negative},
    Field{"schedule.warmup_start", "learning rate of the first step", LINNET_AT(schedule.warmup_start), not_negative},
    Field{"schedule.warmup_prefix", "true: the curve starts after the warm-up; false: the warm-up lies over its start",
          LINNET_AT(schedule.warmup_prefix)},
    Field{"schedule.minimum", "cosine, poly, linear, wsd: learning rate at the end", LINNET_AT(schedule.minimum),
          not_negative},
    Field{"schedule.decay_epochs", "step: epochs between two decays; wsd: those of the fall at the end",
          LINNET_AT(schedule.decay_epochs), positive},
    Field{"schedule.decay_rate", "step, multistep: factor of a decay", LINNET_AT(schedule.decay_rate), positive_share},
    Field{"schedule.milestones", "multistep: the learning rate decays after so many epochs",
          LINNET_AT(schedule.milestones), positive},
    Field{"schedule.power", "poly: exponent; 1 is a straight line", LINNET_AT(schedule.power), positive},
    Field{"schedule.cycles", "cosine, poly, linear: curves one after the other", LINNET_AT(schedule.cycles), {1, 1000}},
    Field{"schedule.cycle_factor", "each cycle is so many times as long as the one before",
          LINNET_AT(schedule.cycle_factor), positive},
    Field{"schedule.cycle_decay", "each cycle starts at so many times the learning rate of the one before",
          LINNET_AT(schedule.cycle_decay), positive_share},
    Field{"schedule.rise", "one_cycle: share of the run that rises", LINNET_AT(schedule.rise), share_open},
    Field{"schedule.start_divisor", "one_cycle: the start is the top divided by this",
          LINNET_AT(schedule.start_divisor), positive},
    Field{"schedule.end_divisor", "one_cycle: the end is the start divided by this", LINNET_AT(schedule.end_divisor),
          positive},
    Field{"schedule.straight", "one_cycle: lines in place of cosines", LINNET_AT(schedule.straight)},
    Field{"schedule.three_phases", "one_cycle: down to the start as fast as up, then further down",
          LINNET_AT(schedule.three_phases)},
    Field{"schedule.cycle_momentum", "one_cycle: momentum (beta1) goes the opposite way",
          LINNET_AT(schedule.cycle_momentum)},
    Field{"schedule.momentum_low", "see schedule.cycle_momentum", LINNET_AT(schedule.momentum_low), share_below_one},
    Field{"schedule.momentum_high", "see schedule.cycle_momentum", LINNET_AT(schedule.momentum_high), share_below_one},

    Field{"ema.decay", "of the moving average of the weights; 0: none", LINNET_AT(ema.decay), share_below_one},
    Field{"ema.warmup", "raise the decay from 0: 1 - (1 + step / gamma)^-power", LINNET_AT(ema.warmup)},
    Field{"ema.warmup_gamma", "see ema.warmup", LINNET_AT(ema.warmup_gamma), positive},
    Field{"ema.warmup_power", "see ema.warmup", LINNET_AT(ema.warmup_power), positive},
    Field{"ema.min_decay", "see ema.warmup", LINNET_AT(ema.min_decay), share_below_one},
    Field{"ema.update_after_step", "until then the average is a copy", LINNET_AT(ema.update_after_step), not_negative},
    Field{"ema.copy_first", "the first update copies; false: the decay acts from the first", LINNET_AT(ema.copy_first)},
    Field{"ema.average_statistics", "average the batch norms' statistics too; false: copy them",
          LINNET_AT(ema.average_statistics)},

    Field{"loss.kind",
          "cross_entropy: one class per picture; bce: each class by itself",
          LINNET_AT(loss.kind),
          {},
          "cross_entropy|bce"},
    Field{"loss.smoothing_towards",
          "see label_smoothing: 1 / classes, or 1 / 2 as in bce with many classes per picture",
          LINNET_AT(loss.smoothing_towards),
          {},
          "classes|half"},
    Field{"loss.class_weights", "cross_entropy: a factor per class; empty: all 1", LINNET_AT(loss.class_weights),
          not_negative},
    Field{"loss.threshold", "bce: targets above it count as 1, others as 0; null: as they are",
          LINNET_AT(loss.threshold), share_below_one},
    Field{"loss.sum_classes", "bce: sum over the classes in place of the mean", LINNET_AT(loss.sum_classes)},
    Field{"loss.positive_weight", "bce: factor for targets above 0", LINNET_AT(loss.positive_weight), positive},
    Field{"loss.teacher", "model file to learn from (distillation); empty: none", LINNET_AT(loss.teacher)},
    Field{"loss.teacher_kind",
          "kl: divergence of the softened probabilities; mse: mean square of the logits",
          LINNET_AT(loss.teacher_kind),
          {},
          "kl|mse"},
    Field{"loss.teacher_weight", "share of the teacher in the loss; the labels have the rest",
          LINNET_AT(loss.teacher_weight), share_range},
    Field{"loss.temperature", "kl: logits are divided by it", LINNET_AT(loss.temperature), positive},

    Field{"tracking.database",
          "record of runs, an SQLite file; auto: linnet.db beside the run's folder; none: nothing is recorded",
          LINNET_AT(tracking.database),
          {},
          {},
          true},
    Field{
        "tracking.name", "of the run in the record; empty: that of its folder", LINNET_AT(tracking.name), {}, {}, true},
    Field{"tracking.tags", "of the run in the record", LINNET_AT(tracking.tags), {}, {}, true},

    Field{"comet.mode",
          "Comet: online while it trains, offline as an archive for `comet upload`, disabled; auto: as "
          "COMET_START_ONLINE "
          "says, else disabled",
          LINNET_AT(comet.mode),
          {},
          "auto|online|offline|disabled",
          true},
    Field{"comet.workspace", "Comet: workspace; empty: $COMET_WORKSPACE", LINNET_AT(comet.workspace), {}, {}, true},
    Field{"comet.project", "Comet: project; empty: $COMET_PROJECT_NAME", LINNET_AT(comet.project), {}, {}, true},
    Field{"comet.model",
          "Comet: registers the model file under this name, NAME or NAME:1.2.0; empty: not",
          LINNET_AT(comet.model),
          {},
          {},
          true},

    Field{"label_smoothing", "share of the target spread over the classes", LINNET_AT(label_smoothing),
          share_below_one},
    Field{"batch", "pictures that go through the network together", LINNET_AT(batch), at_least_one},
    Field{"accumulate", "batches per step, their gradients averaged", LINNET_AT(accumulate), at_least_one},
    Field{"epochs", "passes over the training data, warm-up included", LINNET_AT(epochs), at_least_one},
    Field{"steps", "stop after so many steps; 0: all epochs", LINNET_AT(steps), not_negative, {}, true},
    Field{"seed", "of initial weights, order, augmentation and dropout", LINNET_AT(seed), not_negative},
    Field{"threads",
          "of the computation; 0: one per big core. The result does not depend on it",
          LINNET_AT(threads),
          size_or_zero,
          {},
          true},
    Field{"loader_threads",
          "that prepare pictures; 0: the training thread does",
          LINNET_AT(loader_threads),
          size_or_zero,
          {},
          true},
    Field{"validate_every", "epochs between two validations", LINNET_AT(validate_every), at_least_one},
    Field{"validation_batch", "pictures per batch when validating", LINNET_AT(validation_batch), at_least_one},
    Field{"checkpoint_every",
          "steps between two checkpoints, besides that of each epoch; 0: only that",
          LINNET_AT(checkpoint_every),
          not_negative,
          {},
          true},
    Field{"log_every", "steps between two lines in metrics.jsonl", LINNET_AT(log_every), at_least_one},
    Field{"save",
          "best: the model of the best validation, averaged or not; last: the final one, averaged if ema is on",
          LINNET_AT(save),
          {},
          "best|last"},
    Field{"keep_best",
          "checkpoints of so many best validations are kept besides the last one",
          LINNET_AT(keep_best),
          size_or_zero,
          {},
          true},
    Field{"patience",
          "stop when so many validations brought no better top-1; 0: never",
          LINNET_AT(patience),
          not_negative,
          {},
          true},
    Field{"min_improvement",
          "of top-1, for patience: what counts as better",
          LINNET_AT(min_improvement),
          share_below_one,
          {},
          true},
};

#undef LINNET_AT

// The number of insertions, deletions and replacements that turn one text into the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

bool Range::contains(double value) const {
  return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
}

std::span<const Field> fields() { return table; }

const Field& find_field(std::string_view name) {
  // A forgotten or wrong group ("lr", "sgd.lr") is as near as a misspelt word.
  const auto distance = [name](const Field& field) {
    return std::min(edit_distance(name, field.name), edit_distance(last_part(name), last_part(field.name)) + 1);
  };
  const Field* nearest = &table[0];
  for (const Field& field : table) {
    if (name == field.name) return field;
    if (distance(field) < distance(*nearest)) nearest = &field;
  }
  throw Error("field '" + std::string(name) + "' is unknown; the nearest known one is '" + nearest->name + "'");
}

}  // namespace linnet::training
