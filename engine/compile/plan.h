// What a compiled plan holds; sessions read it.
#pragma once

#include "engine/compile/step.h"
#include "linnet/compile.h"

namespace linnet {

namespace compiler {

/// Where a session finds a tensor: one of the caller's buffers, or the arena at an offset in floats.
struct Place {
  enum class Where : std::uint8_t { input, output, arena };
  Where where = Where::arena;
  std::size_t offset = 0;  ///< of an output: its number
  std::size_t stride = 0;  ///< floats from one picture of the batch to the next
};

struct PlannedStep {
  std::string name;  ///< of the node, the last one of several
  std::vector<std::string> nodes;
  std::vector<std::string> ops;  ///< see PlanStep
  Shape shape;                   ///< of the output, [batch, ...]
  std::unique_ptr<Step> step;
  std::vector<Place> inputs;
  Place output;
  Place scratch;  ///< of scratch_floats floats
  std::size_t scratch_floats = 0, weight_floats = 0;
};

}  // namespace compiler

struct Plan::Implementation {
  std::string name;
  Shape input_shape;
  std::vector<Shape> output_shapes;
  int threads = 1;
  std::vector<compiler::PlannedStep> steps;
  std::size_t single_steps = 0;  ///< as many run on one picture after the other before the rest takes the whole batch
  std::vector<PlanBuffer> buffers;
  std::size_t arena_floats = 0;
  std::size_t arena_lower_bound = 0;  ///< floats alive at once: no arena can be smaller
  compiler::WeightMemory weights;
};

}  // namespace linnet
