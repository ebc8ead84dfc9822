#include "engine/compile/lowering.h"

#include <algorithm>
#include <limits>

#include "engine/compile/describe.h"
#include "engine/compile/memory_plan.h"
#include "engine/compile/rewrite.h"
#include "linnet/error.h"

namespace linnet::compiler {
namespace {

constexpr std::uint64_t alignment_floats = 64 / sizeof(float);

Shape with_batch(Index batch, const Shape& shape) {
  Shape result{batch};
  result.insert(result.end(), shape.begin(), shape.end());
  return result;
}

/// Builds the steps and decides where their tensors lie. A buffer is a piece of memory with one lifetime; nodes that
/// rename or overwrite their input share its buffer.
class Lowering {
 public:
  Lowering(const Network& network, Batch batch, const std::vector<StepGroup>& groups, Plan::Implementation& plan)
      : network_(network), batch_(batch), plan_(plan), group_of_node_(network.graph.nodes.size()) {
    for (const StepGroup& group : groups) {
      for (const int node : group.nodes) group_of_node_[static_cast<std::size_t>(node)] = &group;
    }
  }

  void run() {
    const auto& nodes = network_.graph.nodes;
    buffer_of_node_.resize(nodes.size());
    buffer_of_node_[0] = add_buffer("input", picture_floats(0), Place::Where::input);
    find_last_readings();
    find_output_writers();
    for (int node = 1; node < static_cast<int>(nodes.size()); ++node) add_node(node);
    copy_to_outputs_that_no_step_writes();
    place_buffers();
    plan_.weights.fill();
  }

 private:
  struct Buffer {
    std::string name;
    std::size_t picture_floats;  ///< 0: scratch, whose size is the step's affair
    BufferRequest request;
    Place place;
  };
  /// The buffers of plan_.steps[i]; -1: no scratch.
  struct StepBufferIndices {
    std::vector<int> inputs;
    int output = -1;
    int scratch = -1;
  };

  Buffer& buffer(int index) { return buffers_[static_cast<std::size_t>(index)]; }
  int& buffer_of(int node) { return buffer_of_node_[static_cast<std::size_t>(node)]; }
  const StepGroup* group_of(int node) const { return group_of_node_[static_cast<std::size_t>(node)]; }
  int step_count() const { return static_cast<int>(plan_.steps.size()); }
  std::size_t picture_floats(int node) const {
    return static_cast<std::size_t>(element_count(node_at(network_.graph, node).shape));
  }
  /// Of the step that ends with this node.
  Index batch_of(int node) const { return node < batch_.split ? 1 : batch_.size; }

  int add_buffer(std::string name, std::size_t picture_floats, Place::Where where) {
    buffers_.push_back({.name = std::move(name),
                        .picture_floats = picture_floats,
                        .request = {.first = step_count(), .last = step_count()},
                        .place = {.where = where}});
    return static_cast<int>(buffers_.size()) - 1;
  }

  int add_output(int number) {
    const int node = outputs_[static_cast<std::size_t>(number)];
    const int index = add_buffer("output", picture_floats(node), Place::Where::output);
    buffer(index).place.offset = static_cast<std::size_t>(number);
    return index;
  }

  int add_scratch(std::size_t floats) {
    const int index = add_buffer("scratch", 0, Place::Where::arena);
    buffer(index).request.size = floats;
    return index;
  }

  /// For each node the node whose values it shares, looking through renaming.
  int origin(int node) const {
    while (renames_input(node_at(network_.graph, node).op)) node = node_at(network_.graph, node).inputs.front();
    return node;
  }

  void find_last_readings() {
    const auto& nodes = network_.graph.nodes;
    last_reader_.assign(nodes.size(), 0);
    for (int reader = 0; reader < static_cast<int>(nodes.size()); ++reader) {
      if (renames_input(node_at(network_.graph, reader).op)) continue;
      for (const int input : node_at(network_.graph, reader).inputs) {
        int& last = last_reader_[static_cast<std::size_t>(origin(input))];
        last = std::max(last, group_of(reader) != nullptr ? group_of(reader)->last() : reader);
      }
    }
  }

  /// Which output a node's step writes; -1: none. Of several outputs with the same values the first is written, and so
  /// is none that shares the input's.
  void find_output_writers() {
    outputs_ = network_.graph.output_nodes();
    output_of_node_.assign(network_.graph.nodes.size(), -1);
    for (std::size_t i = outputs_.size(); i-- > 0;) {
      const int writer = origin(outputs_[i]);
      if (writer != 0) output_of_node_[static_cast<std::size_t>(writer)] = static_cast<int>(i);
    }
  }

  bool dies_at(int node, int reader) const { return last_reader_[static_cast<std::size_t>(origin(node))] == reader; }

  /// The input whose buffer the output may take over, or -1.
  int overwritten_input(int index, const Step& step, const std::vector<int>& inputs) {
    for (const int position : step.overwritable_inputs()) {
      const int candidate = inputs[static_cast<std::size_t>(position)];
      const auto same = [&](int other) { return buffer_of(other) == buffer_of(candidate); };
      if (buffer(buffer_of(candidate)).place.where == Place::Where::arena && dies_at(candidate, index) &&
          std::count_if(inputs.begin(), inputs.end(), same) == 1) {
        return candidate;
      }
    }
    return -1;
  }

  int output_buffer(int index, const Step& step, const std::vector<int>& inputs) {
    const int output = output_of_node_[static_cast<std::size_t>(index)];
    if (output >= 0) return add_output(output);
    const int overwritten = overwritten_input(index, step, inputs);
    if (overwritten >= 0) return buffer_of(overwritten);
    return add_buffer(node_at(network_.graph, index).name, picture_floats(index), Place::Where::arena);
  }

  void add_node(int index) {
    const Node& node = node_at(network_.graph, index);
    if (renames_input(node.op)) {
      buffer_of(index) = buffer_of(node.inputs.front());
      return;
    }
    const StepGroup* group = group_of(index);
    if (group != nullptr && index != group->last()) return;
    const StepSource source{network_, batch_of(index), plan_.weights};
    std::unique_ptr<Step> step = group != nullptr ? group->make(source) : make_step(source, index);
    const std::vector<int>& inputs = group != nullptr ? group->inputs : node.inputs;
    StepBufferIndices used;
    for (const int input : inputs) used.inputs.push_back(buffer_of(input));
    used.output = buffer_of(index) = output_buffer(index, *step, inputs);
    add_step(group != nullptr ? group->nodes : std::vector<int>{index}, batch_of(index), std::move(step),
             std::move(used));
    if (index < batch_.split) plan_.single_steps = plan_.steps.size();
  }

  void add_step(const std::vector<int>& nodes, Index batch, std::unique_ptr<Step> step, StepBufferIndices used) {
    std::vector<std::string> names, ops;
    for (const int node : nodes) {
      names.push_back(node_at(network_.graph, node).name);
      ops.push_back(describe(node_at(network_.graph, node).op));
    }
    const std::size_t scratch = step->scratch_floats(plan_.threads);
    const std::size_t weights = plan_.weights.floats() - counted_weights_;
    counted_weights_ += weights;
    if (scratch > 0) used.scratch = add_scratch(scratch);
    for (const int input : used.inputs) buffer(input).request.last = step_count();
    buffer(used.output).request.last = step_count();
    plan_.steps.push_back({.name = names.back(),
                           .nodes = names,
                           .ops = std::move(ops),
                           .shape = with_batch(batch, node_at(network_.graph, nodes.back()).shape),
                           .step = std::move(step),
                           .inputs = {},
                           .output = {},
                           .scratch = {},
                           .scratch_floats = scratch,
                           .weight_floats = weights});
    used_.push_back(std::move(used));
  }

  /// The input itself, and what is an output already.
  void copy_to_outputs_that_no_step_writes() {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const int writer = origin(outputs_[i]);
      if (output_of_node_[static_cast<std::size_t>(writer)] == static_cast<int>(i)) continue;
      StepBufferIndices used;
      used.inputs = {buffer_of(writer)};
      used.output = add_output(static_cast<int>(i));
      const auto size = static_cast<Index>(picture_floats(outputs_[i]));
      add_step({outputs_[i]}, batch_.size, make_copy_step(batch_.size * size), std::move(used));
      plan_.steps.back().ops = {"copy"};
    }
  }

  /// Buffers hold one picture after the other, the whole batch, or both: those are written picture by picture, while
  /// all steps before the split happen again for each.
  void size_buffers() {
    const int split = static_cast<int>(plan_.single_steps);
    for (Buffer& b : buffers_) {
      if (b.picture_floats == 0) continue;
      const bool single = b.request.last < split, crossing = !single && b.request.first < split;
      b.request.size = b.picture_floats * static_cast<std::size_t>(single ? 1 : batch_.size);
      if (crossing) b.request.first = 0;
      if (crossing || b.place.where != Place::Where::arena) b.place.stride = b.picture_floats;
    }
  }

  void place_buffers() {
    size_buffers();
    std::vector<BufferRequest> requests;
    std::vector<int> owners;
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      if (buffers_[i].place.where != Place::Where::arena) continue;
      requests.push_back(buffers_[i].request);
      owners.push_back(static_cast<int>(i));
    }
    const MemoryPlan memory = plan_memory(requests, alignment_floats);
    if (memory.size > static_cast<std::uint64_t>(std::numeric_limits<Index>::max()) / sizeof(float)) {
      throw Error("compile: " + plan_.name + " needs " + std::to_string(memory.size * sizeof(float)) +
                  " bytes for activations, more than this machine can address");
    }
    for (std::size_t i = 0; i < owners.size(); ++i) {
      buffer(owners[i]).place.offset = static_cast<std::size_t>(memory.offsets[i]);
    }
    plan_.arena_floats = static_cast<std::size_t>(memory.size);
    plan_.arena_lower_bound = static_cast<std::size_t>(memory.lower_bound);

    for (const Buffer& placed : buffers_) {
      if (placed.place.where != Place::Where::arena) continue;
      plan_.buffers.push_back({.name = placed.name,
                               .offset = placed.place.offset * sizeof(float),
                               .bytes = static_cast<std::size_t>(placed.request.size) * sizeof(float),
                               .first_step = static_cast<int>(placed.request.first),
                               .last_step = static_cast<int>(placed.request.last)});
    }
    std::stable_sort(plan_.buffers.begin(), plan_.buffers.end(),
                     [](const PlanBuffer& a, const PlanBuffer& b) { return a.offset < b.offset; });

    for (std::size_t i = 0; i < used_.size(); ++i) {
      for (const int input : used_[i].inputs) plan_.steps[i].inputs.push_back(buffer(input).place);
      plan_.steps[i].output = buffer(used_[i].output).place;
      if (used_[i].scratch >= 0) plan_.steps[i].scratch = buffer(used_[i].scratch).place;
    }
  }

  const Network& network_;
  Batch batch_;
  Plan::Implementation& plan_;
  std::vector<Buffer> buffers_;
  std::vector<int> buffer_of_node_;
  std::vector<int> last_reader_;
  std::vector<const StepGroup*> group_of_node_;
  std::vector<StepBufferIndices> used_;
  std::vector<int> outputs_, output_of_node_;
  std::size_t counted_weights_ = 0;  ///< floats, of the steps so far
};

}  // namespace

void lower(const Network& network, Batch batch, const std::vector<StepGroup>& groups, Plan::Implementation& plan) {
  plan.input_shape = with_batch(batch.size, network.graph.input().shape);
  for (const int output : network.graph.output_nodes()) {
    plan.output_shapes.push_back(with_batch(batch.size, node_at(network.graph, output).shape));
  }
  Lowering(network, batch, groups, plan).run();
}

}  // namespace linnet::compiler
