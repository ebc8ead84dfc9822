// One thing that a plan does: a kernel, its shapes and its prepared weights.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/compile/weight_memory.h"
#include "linnet/cpu.h"
#include "linnet/thread_pool.h"

namespace linnet::compiler {

/// Where a step finds its tensors in the running session.
struct StepBuffers {
  std::span<const float* const> inputs;  ///< in the order of the node's inputs
  float* output = nullptr;
  float* scratch = nullptr;  ///< scratch_floats(), 64-byte aligned; null if that is 0
};

/// Immutable, so that sessions on any number of threads can share it.
class Step {
 public:
  virtual ~Step() = default;

  /// Does not allocate.
  virtual void run(ThreadPool& pool, const StepBuffers& buffers) const = 0;

  /// The name of the kernel, for people.
  virtual const char* kernel() const = 0;

  /// The instruction set of the kernel in use.
  virtual Isa isa() const = 0;

  /// How the kernel cuts the work and lays it out inside, for people; empty: nothing to say.
  virtual std::string tiling() const { return {}; }

  /// Floats of scratch that run() needs with a pool of at most this many threads.
  virtual std::size_t scratch_floats(int /*threads*/) const { return 0; }

  /// Positions of the inputs that the output may be written over.
  virtual std::vector<int> overwritable_inputs() const { return {}; }
};

/// True for ops whose output is their input under another name: flatten, and at inference dropout and drop path.
bool renames_input(const Op& op);

/// What steps are made from.
struct StepSource {
  const Network& network;
  Index batch;
  WeightMemory& weights;  ///< takes what they prepare

  const Graph& graph() const { return network.graph; }
};

/// The step for a node that neither renames its input nor is the network's input, nor a blur pool (replace_blur_pools).
std::unique_ptr<Step> make_step(const StepSource& source, int node);

/// A copy of `size` floats, for networks whose output is their input.
std::unique_ptr<Step> make_copy_step(Index size);

}  // namespace linnet::compiler
