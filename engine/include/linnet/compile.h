// The inference compiler: Model -> Plan.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "linnet/cpu.h"
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
/// "fuse_interleave", "fuse_conv_concat", "split_batch".
std::vector<std::string> pass_names();

/// What a plan does, for people. Tensors are dense NHWC; what lies in another layout is inside of a step.
struct PlanStep {
  std::string name;  ///< of the last node
  std::string kernel;
  Isa isa = Isa::scalar;            ///< the variant of the kernel
  std::vector<std::string> nodes;   ///< that it stands for; nodes that passes merged into these are not named
  std::vector<std::string> ops;     ///< what each of them does, merged nodes too: "conv 1x1 +bias +relu6"
  std::string tiling;               ///< how the kernel cuts the work and lays it out inside; may be empty
  Shape shape;                      ///< of the output, [batch, ...]; [1, ...] where `times` is the batch
  Index times = 1;                  ///< per run: the batch for steps that take one picture after the other
  std::vector<std::string> inputs;  ///< places: "input", "arena+4096" (bytes), "output"
  std::string output;
  std::string scratch;  ///< empty: none
  std::size_t output_bytes = 0, scratch_bytes = 0, weight_bytes = 0;
};

/// A piece of the arena and the steps that it lives in, from the first that writes it to the last that reads it.
struct PlanBuffer {
  std::string name;  ///< of the node that is first written to it, or "scratch"
  std::size_t offset = 0, bytes = 0;
  int first_step = 0, last_step = 0;
};

/// An immutable program for one model and batch size: packed weights, steps, memory layout. May be shared by any
/// number of threads and sessions. Linear layers read the model's own tensors, unpacked: leave their values, and the
/// file that they lie in (load_model), alone while a plan of the model lives.
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
  /// By offset. Pieces that overlap do not live at the same time.
  std::vector<PlanBuffer> buffers() const;
  /// All of steps() and buffers(): some lines per step, one per buffer.
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
