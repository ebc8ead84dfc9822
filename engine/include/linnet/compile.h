// The inference compiler: Model -> Plan.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "linnet/model.h"

namespace linnet {

struct CompileOptions {
  Index batch = 1;
  int threads = 1;  ///< the most threads that sessions of the plan will use; sizes the scratch
  /// Passes to leave out, by name (see pass_names()), for debugging. Unknown names are an error.
  std::vector<std::string> disabled_passes = {};
};

/// The passes in the order in which they run: "remove_training_nodes", "merge_equal_nodes",
/// "activate_before_concat", "fold_batch_norm", "fuse_activation", "fuse_residual", "fuse_inverted_residual",
/// "fuse_interleave", "fuse_conv_concat".
std::vector<std::string> pass_names();

/// What a plan does, for people.
struct PlanStep {
  std::string name;  ///< of the last node
  std::string kernel;
  std::vector<std::string> nodes;  ///< that it stands for; nodes that passes merged into these are not named
  Shape shape;                     ///< of the output, [batch, ...]
};

/// An immutable program for one model and batch size: packed weights, steps, memory layout. May be shared by any
/// number of threads and sessions. Linear layers read the model's own tensors, unpacked: leave their values alone while
/// a plan of the model lives.
class Plan {
 public:
  ~Plan();
  const Shape& input_shape() const;  ///< [batch, height, width, channels]
  std::size_t output_count() const;
  /// [batch, features] or [batch, height, width, channels]. Throws linnet::Error if there is no such output.
  const Shape& output_shape(std::size_t output = 0) const;
  std::size_t arena_bytes() const;   ///< activations and scratch of one session
  std::size_t peak_bytes() const;    ///< of these in use at once, at most: no arena can be smaller
  std::size_t weight_bytes() const;  ///< what the steps read, packed or shared with the model
  std::vector<PlanStep> steps() const;
  /// One line per step: what it runs, its output shape, where its inputs, output and scratch lie.
  std::string to_string() const;

  struct Implementation;
  const Implementation& implementation() const { return *implementation_; }
  explicit Plan(std::unique_ptr<Implementation> implementation);

 private:
  std::unique_ptr<Implementation> implementation_;
};

/// Throws linnet::Error if the weights do not fit the graph or an option is wrong.
std::shared_ptr<const Plan> compile(const Model& model, const CompileOptions& options = {});

}  // namespace linnet
