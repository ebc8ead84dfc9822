// Reference results of other implementations, and the rule by which their weights and inputs follow from names
// ("linnet-golden-1", described in tests/data/golden/README.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "linnet/model.h"
#include "linnet/tensor.h"

namespace linnet::golden {

/// The numbers that belong to a name.
class Numbers {
 public:
  explicit Numbers(std::string_view name);
  std::uint64_t seed() const { return seed_; }
  double u(std::uint64_t index) const;                              ///< in [0, 1)
  double s(std::uint64_t index) const { return 2 * u(index) - 1; }  ///< in [-1, 1)

 private:
  std::uint64_t seed_;
};

struct Entry {
  std::string name;
  Shape shape;
  std::string dtype;  ///< "F32", or "I64" for counters
};

/// The value of every entry, float32, in the reference layout.
Weights make_weights(const std::vector<Entry>& state_dict);

/// Samples first, first + 1, ... as one tensor [batch, height, width, 3].
Tensor make_inputs(Index first, Index batch, Index height, Index width);

/// Paths of the golden files whose names start with `prefix`, sorted by name, each name once: LINNET_SHARED_DIR/golden
/// first (the environment variable, else the one set by CMake), then tests/data/golden. Names that start with "train_"
/// are training runs and are listed only if the prefix asks for them.
std::vector<std::string> find_goldens(std::string_view prefix = "");

/// Tests leave larger networks out, if there is a smaller one to run: LINNET_TEST_MACS, for emulators and sanitizers.
/// Without it the largest networks run on the best instruction set only, and small ones alone in plain loops.
double most_macs();

/// LINNET_SHARED_DIR, from the environment or from CMake.
std::string shared_dir();

struct Checkpoint {
  std::string name;
  Shape shape;  ///< [channels, height, width] or [features] of batch item 0, as the file has it
  double mean = 0, std = 0, largest = 0;
  std::vector<double> first;
};

/// What the two kinds of file have in common.
struct Golden {
  std::string name;  ///< of the file, without ".json"; networks are built by it, training runs without "train_"
  std::string source;
  Index height = 0, width = 0;
  Index classes = 0;
  Index parameters = 0;
  std::vector<double> bn_epsilon;  ///< the distinct values; empty without batch norm
  std::vector<Entry> state_dict;
  std::vector<std::vector<double>> logits;  ///< per sample
};

struct Network : Golden {
  std::int64_t run_stats = 0, tensors = 0, macs = 0;
  double float32_error = 0;
  std::vector<Checkpoint> checkpoints;
};
Network read_network(const std::string& path);

struct Gradient {
  std::string name;
  Shape shape;
  double norm = 0;
  std::vector<double> first;
};

struct OptimiserRun {
  std::map<std::string, double> options;  ///< "lr", "momentum", "nesterov" (0 or 1), "beta1", "beta2", "eps", ...
  std::vector<double> losses;
  double param_norm = 0;
  std::vector<double> moved;
  std::vector<double> float32_loss_error;
  double float32_param_norm_error = 0;
  std::vector<double> float32_moved_error;
};

struct Training : Golden {
  std::string network;  ///< the name without "train_"
  Index batch = 0, first_sample = 0;
  double label_smoothing = 0;
  std::vector<double> bn_momentum;
  double loss = 0;
  double float32_loss_error = 0, float32_gradient_error = 0;
  double gradient_norm = 0;
  std::vector<Gradient> gradients;
  std::map<std::string, std::vector<double>> running;  ///< the first four values, by state-dict name
  std::map<std::string, OptimiserRun> optimisers;
};
Training read_training(const std::string& path);

/// max |found - expected| / max |expected|; infinite if something is not finite.
double relative_error(const float* found, const std::vector<double>& expected);

}  // namespace linnet::golden
