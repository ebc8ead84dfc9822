// How gradients change the parameters.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "linnet/training_model.h"

namespace linnet::training {

struct OptimiserOptions {
  std::string kind = "sgd";  ///< one of optimiser_kinds()
  double momentum = 0.9;     ///< sgd
  bool nesterov = true;      ///< sgd
  double beta1 = 0.9;        ///< adamw
  double beta2 = 0.999;      ///< adamw
  double epsilon = 1e-8;     ///< adamw
  double weight_decay = 0;
  bool decay_all = false;  ///< weight decay also on parameters of one dimension: biases, batch norms
};

std::vector<std::string_view> optimiser_kinds();

/// Updates a fixed list of parameters from their gradients. A parameter without a gradient is left as it is.
/// Bit-identical for any number of threads.
class Optimiser {
 public:
  using Parameters = std::vector<TrainingModel::LearnableParameter>;

  virtual ~Optimiser() = default;
  Optimiser(const Optimiser&) = delete;
  Optimiser& operator=(const Optimiser&) = delete;

  void step(double learning_rate, ThreadPool& pool);

  /// What the next step depends on besides parameters and gradients: "<parameter>.<slot>" tensors shaped as their
  /// parameters and the scalar "step". The tensors share storage with the optimiser.
  Weights state() const;
  /// Copies values in. Throws linnet::Error that names what is missing, extra or misshapen.
  void set_state(const Weights& state);

 protected:
  /// Numbers that belong together: a part of a parameter, its gradient and its slots.
  struct Span {
    Index size;
    float* parameter;
    const float* gradient;
    std::array<float*, 2> slots;
    float weight_decay;
  };

  Optimiser(const Parameters& parameters, std::vector<std::string> slot_names, const OptimiserOptions& options);

  /// Called once per step, before any update(); `step` counts from 1.
  virtual void begin_step(std::int64_t step, double learning_rate) = 0;
  virtual void update(const Span& span) const = 0;

 private:
  struct Entry {
    std::string name;
    autograd::Variable variable;
    std::vector<Tensor> slots;
    float weight_decay;
  };
  struct Chunk {
    std::size_t entry;
    Index begin, size;
  };
  std::vector<std::string> slot_names_;
  std::vector<Entry> entries_;
  std::vector<Chunk> chunks_;
  std::int64_t steps_ = 0;
};

/// Stochastic gradient descent as torch.optim.SGD (no dampening): g += decay * w; b = momentum * b + g;
/// w -= rate * (nesterov ? g + momentum * b : b). AdamW as torch.optim.AdamW (Loshchilov and Hutter, 2019).
/// Throws linnet::Error for an unknown kind.
std::unique_ptr<Optimiser> make_optimiser(const OptimiserOptions& options, const Optimiser::Parameters& parameters);

/// Scales all gradients by min(1, limit / (norm + 1e-6)), norm being the L2 norm of all of them together, as
/// torch.nn.utils.clip_grad_norm_. Returns the norm before.
double clip_gradient_norm(Optimiser::Parameters& parameters, double limit, ThreadPool& pool);

}  // namespace linnet::training
