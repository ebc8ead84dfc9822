// How gradients change parameters.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "linnet/training_model.h"

namespace linnet::training {

/// The rules are those of PyTorch (torch.optim) and, for rmsprop_tf, lamb and lion, of timm (timm.optim).
struct OptimiserOptions {
  std::string kind = "sgd";       ///< one of optimiser_kinds()
  double momentum = 0.9;          ///< sgd, rmsprop, rmsprop_tf
  double dampening = 0;           ///< sgd: takes so much off what each gradient after the first adds to the momentum
  bool nesterov = true;           ///< sgd
  double alpha = 0.9;             ///< rmsprop, rmsprop_tf: share of the old mean square
  bool centered = false;          ///< rmsprop, rmsprop_tf: divide by the deviation from the mean gradient
  bool lr_in_momentum = true;     ///< rmsprop_tf: the momentum holds steps; false: directions, scaled by today's rate
  bool decoupled_decay = false;   ///< rmsprop_tf: weight decay scales the weights, as in adamw
  double beta1 = 0.9;             ///< adam, adamw, lamb, lion
  std::optional<double> beta2;    ///< adam, adamw, lamb: 0.999; lion: 0.99
  std::optional<double> epsilon;  ///< rmsprop, adam, adamw: 1e-8; rmsprop_tf: 1e-10; lamb: 1e-6
  bool amsgrad = false;           ///< adam, adamw: divide by the largest mean square so far
  bool bias_correction = true;    ///< lamb
  bool trust_clip = false;        ///< lamb: no trust ratio above 1
  bool always_adapt = false;      ///< lamb: trust ratio also for parameters without weight decay
  double weight_decay = 0;        ///< on weights of convolutions and linear layers; on others as follows
  bool decay_biases = false;
  bool decay_norms = false;           ///< gammas and betas of batch norms, layer scales
  std::vector<std::string> no_decay;  ///< patterns ("blocks.0.*") of the names of parameters that do not decay
  /// Patterns of names, and what the learning rate of the parameters is multiplied with; the first match counts.
  std::vector<std::pair<std::string, double>> lr_factors;
};

/// "sgd", "rmsprop", "rmsprop_tf", "adam", "adamw", "lamb", "lion"
std::vector<std::string_view> optimiser_kinds();

struct OptimiserRule;

/// Updates a fixed list of parameters from their gradients. A parameter without a gradient is left as it is.
/// Bit-identical for any number of threads.
class Optimiser {
 public:
  using Parameters = std::vector<TrainingModel::LearnableParameter>;

  /// Throws linnet::Error for an unknown kind, for options that exclude each other, and for a pattern of `no_decay`
  /// or `lr_factors` that no parameter has.
  Optimiser(const OptimiserOptions& options, const Parameters& parameters);
  Optimiser(const Optimiser&) = delete;
  Optimiser& operator=(const Optimiser&) = delete;

  /// `momentum`, if given, takes the place of momentum or beta1 in this step, as a one-cycle schedule wants. May
  /// overwrite the gradients.
  void step(double learning_rate, ThreadPool& pool, std::optional<double> momentum = {});

  /// What the next step depends on besides parameters and gradients: "<parameter>.<slot>" tensors shaped as their
  /// parameters and the scalar "step". The tensors share storage with the optimiser.
  Weights state() const;
  /// Copies values in. Throws linnet::Error that names what is missing, extra or misshapen.
  void set_state(const Weights& state);

 private:
  struct Entry {
    std::string name;
    autograd::Variable variable;
    std::vector<Tensor> slots;  ///< one per slot of the rule; empty where the options do without it
    double weight_decay, lr_factor;
  };
  struct Chunk {
    std::size_t entry;
    Index begin, size;
  };
  void add(const TrainingModel::LearnableParameter& parameter);
  bool decays(const TrainingModel::LearnableParameter& parameter) const;
  double lr_factor(const std::string& name) const;

  OptimiserOptions options_;
  const OptimiserRule& rule_;
  std::vector<Entry> entries_;
  std::vector<Chunk> chunks_;
  std::int64_t steps_ = 0;
};

/// Which norm of all gradients together.
enum class GradientNorm : std::uint8_t { sum, euclidean, largest };

/// "1", "2", "inf". Throws linnet::Error for other names.
GradientNorm gradient_norm_from_name(const std::string& name);

/// Scales all gradients by min(1, limit / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_. Returns the norm before.
double clip_gradient_norm(Optimiser::Parameters& parameters, double limit, ThreadPool& pool,
                          GradientNorm kind = GradientNorm::euclidean);

/// Limits each value to [-limit, limit], as torch.nn.utils.clip_grad_value_.
void clip_gradient_value(Optimiser::Parameters& parameters, double limit, ThreadPool& pool);

/// Adaptive gradient clipping (Brock et al. 2021, arXiv 2102.06171, section 4.1; timm.utils.agc): for each output unit
/// (first index; parameters of one dimension as a whole) the norm of the gradient is limited to `limit` times that of
/// the weights, which counts as at least 1e-3. The parameters named in `except` stay as they are; the paper leaves out
/// the last layer.
void clip_gradient_adaptive(Optimiser::Parameters& parameters, double limit, ThreadPool& pool,
                            const std::vector<std::string>& except = {});

}  // namespace linnet::training
