#include "linnet/compile.h"

#include <algorithm>

#include "engine/compile/lowering.h"
#include "engine/compile/pass.h"
#include "engine/compile/rewrite.h"
#include "engine/compile/split_batch.h"
#include "engine/compile/step_groups.h"
#include "linnet/error.h"

namespace linnet {
namespace {

/// Not a pass over the graph, but with a switch like theirs.
constexpr const char* split_batch = "split_batch";

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

compiler::Network run_passes(compiler::Network network, const std::vector<std::string>& disabled) {
  compiler::remove_dead_nodes(network);
  network = compiler::replace_blur_pools(std::move(network));
  for (const compiler::Pass& pass : compiler::passes()) {
    if (is_on(pass.name, disabled)) network = pass.run(std::move(network));
  }
  return network;
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

}  // namespace

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const compiler::Pass& pass : compiler::passes()) names.emplace_back(pass.name);
  for (const compiler::GroupPass& pass : compiler::group_passes()) names.emplace_back(pass.name);
  names.emplace_back(split_batch);
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
std::size_t Plan::weight_bytes() const { return implementation_->weights.floats() * sizeof(float); }

std::shared_ptr<const Plan> compile(const Model& model, const CompileOptions& options) {
  check(options);
  compiler::Network network{model.graph, model.weights};
  check_weights(network.graph, network.weights);
  network = run_passes(std::move(network), options.disabled_passes);

  auto plan = std::make_unique<Plan::Implementation>();
  plan->name = model.graph.name;
  plan->threads = options.threads;
  const auto groups = find_groups(network.graph, options.disabled_passes);
  compiler::Batch batch{.size = options.batch};
  if (batch.size > 1 && is_on(split_batch, options.disabled_passes)) {
    batch.split = compiler::find_batch_split(network, groups);
  }
  compiler::lower(network, batch, groups, *plan);
  return std::make_shared<const Plan>(std::move(plan));
}

}  // namespace linnet
