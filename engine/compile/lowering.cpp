#include "engine/compile/lowering.h"

#include <algorithm>
#include <limits>

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
  Lowering(const Model& model, Index batch, const std::vector<StepGroup>& groups, Plan::Implementation& plan)
      : model_(model), batch_(batch), plan_(plan), group_of_node_(model.graph.nodes.size()) {
    for (const StepGroup& group : groups) {
      for (const int node : group.nodes) group_of_node_[static_cast<std::size_t>(node)] = &group;
    }
  }

  void run() {
    const auto& nodes = model_.graph.nodes;
    buffer_of_node_.resize(nodes.size());
    buffer_of_node_[0] = add_buffer(0, Place::Where::input);
    find_last_readings();
    find_output_writers();
    for (int node = 1; node < static_cast<int>(nodes.size()); ++node) add_node(node);
    copy_to_outputs_that_no_step_writes();
    place_buffers();
  }

 private:
  struct Buffer {
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

  int add_buffer(std::size_t floats, Place::Where where) {
    buffers_.push_back({{.size = floats, .first = step_count(), .last = step_count()}, {.where = where}});
    return static_cast<int>(buffers_.size()) - 1;
  }

  int add_output(int number) {
    const int index = add_buffer(0, Place::Where::output);
    buffer(index).place.offset = static_cast<std::size_t>(number);
    return index;
  }

  /// For each node the node whose values it shares, looking through renaming.
  int origin(int node) const {
    while (renames_input(node_at(model_.graph, node).op)) node = node_at(model_.graph, node).inputs.front();
    return node;
  }

  void find_last_readings() {
    const auto& nodes = model_.graph.nodes;
    last_reader_.assign(nodes.size(), 0);
    for (int reader = 0; reader < static_cast<int>(nodes.size()); ++reader) {
      if (renames_input(node_at(model_.graph, reader).op)) continue;
      for (const int input : node_at(model_.graph, reader).inputs) {
        int& last = last_reader_[static_cast<std::size_t>(origin(input))];
        last = std::max(last, group_of(reader) != nullptr ? group_of(reader)->last() : reader);
      }
    }
  }

  /// Which output a node's step writes; -1: none. Of several outputs with the same values the first is written, and so
  /// is none that shares the input's.
  void find_output_writers() {
    outputs_ = model_.graph.output_nodes();
    output_of_node_.assign(model_.graph.nodes.size(), -1);
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
    const Node& node = node_at(model_.graph, index);
    const int overwritten = overwritten_input(index, step, inputs);
    if (overwritten >= 0) return buffer_of(overwritten);
    return add_buffer(static_cast<std::size_t>(element_count(with_batch(batch_, node.shape))), Place::Where::arena);
  }

  void add_node(int index) {
    const Node& node = node_at(model_.graph, index);
    if (renames_input(node.op)) {
      buffer_of(index) = buffer_of(node.inputs.front());
      return;
    }
    const StepGroup* group = group_of(index);
    if (group != nullptr && index != group->last()) return;
    std::unique_ptr<Step> step = group != nullptr ? group->make(model_, batch_) : make_step(model_, index, batch_);
    const std::vector<int>& inputs = group != nullptr ? group->inputs : node.inputs;
    StepBufferIndices used;
    for (const int input : inputs) used.inputs.push_back(buffer_of(input));
    used.output = buffer_of(index) = output_buffer(index, *step, inputs);
    std::vector<std::string> names{node.name};
    if (group != nullptr) {
      names.clear();
      for (const int member : group->nodes) names.push_back(node_at(model_.graph, member).name);
    }
    add_step(std::move(names), with_batch(batch_, node.shape), std::move(step), std::move(used));
  }

  void add_step(std::vector<std::string> nodes, Shape shape, std::unique_ptr<Step> step, StepBufferIndices used) {
    const std::size_t scratch = step->scratch_floats(plan_.threads);
    plan_.weight_floats += step->weight_floats();
    if (scratch > 0) used.scratch = add_buffer(scratch, Place::Where::arena);
    for (const int input : used.inputs) buffer(input).request.last = step_count();
    buffer(used.output).request.last = step_count();
    plan_.steps.push_back({.name = nodes.back(),
                           .nodes = nodes,
                           .shape = std::move(shape),
                           .step = std::move(step),
                           .inputs = {},
                           .output = {},
                           .scratch = {},
                           .scratch_floats = scratch});
    used_.push_back(std::move(used));
  }

  /// The input itself, and what is an output already.
  void copy_to_outputs_that_no_step_writes() {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const int writer = origin(outputs_[i]);
      if (output_of_node_[static_cast<std::size_t>(writer)] == static_cast<int>(i)) continue;
      const Node& output = node_at(model_.graph, outputs_[i]);
      StepBufferIndices used;
      used.inputs = {buffer_of(writer)};
      used.output = add_output(static_cast<int>(i));
      const Shape shape = with_batch(batch_, output.shape);
      add_step({output.name}, shape, make_copy_step(element_count(shape)), std::move(used));
    }
  }

  void place_buffers() {
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

    for (std::size_t i = 0; i < used_.size(); ++i) {
      for (const int input : used_[i].inputs) plan_.steps[i].inputs.push_back(buffer(input).place);
      plan_.steps[i].output = buffer(used_[i].output).place;
      if (used_[i].scratch >= 0) plan_.steps[i].scratch = buffer(used_[i].scratch).place;
    }
  }

  const Model& model_;
  Index batch_;
  Plan::Implementation& plan_;
  std::vector<Buffer> buffers_;
  std::vector<int> buffer_of_node_;
  std::vector<int> last_reader_;
  std::vector<const StepGroup*> group_of_node_;
  std::vector<StepBufferIndices> used_;
  std::vector<int> outputs_, output_of_node_;
};

}  // namespace

void lower(const Model& model, Index batch, const std::vector<StepGroup>& groups, Plan::Implementation& plan) {
  plan.input_shape = with_batch(batch, model.graph.input().shape);
  for (const int output : model.graph.output_nodes()) {
    plan.output_shapes.push_back(with_batch(batch, node_at(model.graph, output).shape));
  }
  Lowering(model, batch, groups, plan).run();
}

}  // namespace linnet::compiler
