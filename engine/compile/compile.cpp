#include "linnet/compile.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "engine/compile/lowering.h"
#include "engine/compile/pass.h"
#include "engine/compile/rewrite.h"
#include "engine/compile/step_groups.h"
#include "linnet/error.h"

namespace linnet {
namespace {

bool is_on(const char* pass, const std::vector<std::string>& disabled) {
  return std::find(disabled.begin(), disabled.end(), pass) == disabled.end();
}

void check(const CompileOptions& options) {
  if (options.batch < 1) throw Error("compile: batch must be at least 1, found " + std::to_string(options.batch));
  if (options.threads < 1) throw Error("compile: threads must be at least 1, found " + std::to_string(options.threads));
  const std::vector<std::string> known = pass_names();
  for (const std::string& name : options.disabled_passes) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string message = "compile: unknown pass '" + name + "' in disabled_passes; the passes are";
    for (const std::string& pass : known) message += " " + pass;
    throw Error(message);
  }
}

Model run_passes(Model model, const std::vector<std::string>& disabled) {
  compiler::remove_dead_nodes(model);
  for (const compiler::Pass& pass : compiler::passes()) {
    if (is_on(pass.name, disabled)) model = pass.run(std::move(model));
  }
  return model;
}

std::vector<compiler::StepGroup> find_groups(const Graph& graph, const std::vector<std::string>& disabled) {
  std::vector<compiler::StepGroup> groups;
  std::vector<bool> taken(graph.nodes.size());
  for (const compiler::GroupPass& pass : compiler::group_passes()) {
    if (!is_on(pass.name, disabled)) continue;
    const std::size_t found = groups.size();
    pass.find(graph, taken, groups);
    for (std::size_t i = found; i < groups.size(); ++i) {
      for (const int node : groups[i].nodes) taken[static_cast<std::size_t>(node)] = true;
    }
  }
  return groups;
}

std::string describe(const compiler::Place& place) {
  switch (place.where) {
    case compiler::Place::Where::input:
      return "input";
    case compiler::Place::Where::output:
      return place.offset == 0 ? "output" : "output " + std::to_string(place.offset);
    case compiler::Place::Where::arena:
      break;
  }
  return "arena+" + std::to_string(place.offset * sizeof(float));
}

}  // namespace

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const compiler::Pass& pass : compiler::passes()) names.emplace_back(pass.name);
  for (const compiler::GroupPass& pass : compiler::group_passes()) names.emplace_back(pass.name);
  return names;
}

Plan::Plan(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Plan::~Plan() = default;

const Shape& Plan::input_shape() const { return implementation_->input_shape; }
std::size_t Plan::output_count() const { return implementation_->output_shapes.size(); }
const Shape& Plan::output_shape(std::size_t output) const {
  if (output < output_count()) return implementation_->output_shapes[output];
  throw Error("plan: " + implementation_->name + " has " + std::to_string(output_count()) +
              " outputs, found a request for output " + std::to_string(output));
}
std::size_t Plan::peak_bytes() const { return implementation_->arena_lower_bound * sizeof(float); }
std::size_t Plan::arena_bytes() const { return implementation_->arena_floats * sizeof(float); }
std::size_t Plan::weight_bytes() const { return implementation_->weight_floats * sizeof(float); }

std::vector<PlanStep> Plan::steps() const {
  std::vector<PlanStep> steps;
  for (const compiler::PlannedStep& step : implementation_->steps) {
    steps.push_back({step.name, step.step->kernel(), step.nodes, step.shape});
  }
  return steps;
}

std::string Plan::to_string() const {
  const Implementation& plan = *implementation_;
  std::ostringstream text;
  text << plan.name << ": " << plan.steps.size() << " steps, input " << linnet::to_string(plan.input_shape)
       << ", output";
  for (const Shape& shape : plan.output_shapes) text << ' ' << linnet::to_string(shape);
  text << ", arena " << arena_bytes() << " bytes (at least " << plan.arena_lower_bound * sizeof(float) << "), weights "
       << weight_bytes() << " bytes, up to " << plan.threads << " threads\n";
  std::size_t width = 0;
  for (const compiler::PlannedStep& step : plan.steps) width = std::max(width, step.name.size());
  for (const compiler::PlannedStep& step : plan.steps) {
    text << std::left << std::setw(static_cast<int>(width)) << step.name << "  " << std::setw(19) << step.step->kernel()
         << "  " << std::setw(20) << linnet::to_string(step.shape) << " ";
    for (const compiler::Place& input : step.inputs) text << ' ' << describe(input);
    text << " -> " << describe(step.output);
    if (step.scratch_floats > 0) {
      text << ", scratch " << describe(step.scratch) << " (" << step.scratch_floats * sizeof(float) << " bytes)";
    }
    text << '\n';
  }
  return text.str();
}

std::shared_ptr<const Plan> compile(const Model& model, const CompileOptions& options) {
  check(options);
  Model copy = model;
  check_weights(copy.graph, copy.weights);
  copy = run_passes(std::move(copy), options.disabled_passes);

  auto plan = std::make_unique<Plan::Implementation>();
  plan->name = model.graph.name;
  plan->threads = options.threads;
  compiler::lower(copy, options.batch, find_groups(copy.graph, options.disabled_passes), *plan);
  return std::make_shared<const Plan>(std::move(plan));
}

}  // namespace linnet
