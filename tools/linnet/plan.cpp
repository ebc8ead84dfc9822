// linnet plan NAME|FILE: what a compiled network does, step by step.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "linnet/cpu.h"
#include "model_source.h"
#include "pass_option.h"

namespace linnet::tools {
namespace {

struct PlanOptions {
  std::string model;
  CompileOptions compile;
  bool json = false;
};

void print_json(const Plan& plan) {
  nlohmann::json steps = nlohmann::json::array();
  for (const PlanStep& step : plan.steps()) {
    steps.push_back({{"name", step.name},
                     {"kernel", step.kernel},
                     {"isa", to_string(step.isa)},
                     {"nodes", step.nodes},
                     {"ops", step.ops},
                     {"tiling", step.tiling},
                     {"shape", step.shape},
                     {"times", step.times},
                     {"inputs", step.inputs},
                     {"output", step.output},
                     {"scratch", step.scratch},
                     {"output_bytes", step.output_bytes},
                     {"scratch_bytes", step.scratch_bytes},
                     {"weight_bytes", step.weight_bytes}});
  }
  nlohmann::json buffers = nlohmann::json::array();
  for (const PlanBuffer& buffer : plan.buffers()) {
    buffers.push_back({{"name", buffer.name},
                       {"offset", buffer.offset},
                       {"bytes", buffer.bytes},
                       {"first_step", buffer.first_step},
                       {"last_step", buffer.last_step}});
  }
  const nlohmann::json report = {{"isa", to_string(selected_isa())},
                                 {"arena_bytes", plan.arena_bytes()},
                                 {"peak_bytes", plan.peak_bytes()},
                                 {"weight_bytes", plan.weight_bytes()},
                                 {"steps", steps},
                                 {"buffers", buffers}};
  std::printf("%s\n", report.dump(1).c_str());
}

void show(const PlanOptions& options) {
  const std::shared_ptr<const Plan> plan = plan_of(graph_from(options.model), options.compile);
  if (options.json) return print_json(*plan);
  std::fputs(plan->to_string().c_str(), stdout);
}

}  // namespace

void add_plan(CLI::App& app) {
  const auto options = std::make_shared<PlanOptions>();
  CLI::App* command = app.add_subcommand("plan", "What a compiled network does: steps, kernels, memory");
  command->add_option("MODEL", options->model, "name of a network, or a model file")->required();
  command->add_option("--batch", options->compile.batch, "pictures at once")->capture_default_str();
  command->add_option("--threads", options->compile.threads, "the most threads that will run it")
      ->capture_default_str();
  add_pass_option(*command, options->compile.disabled_passes);
  command->add_flag("--json", options->json, "for programs");
  command->callback([options] { show(*options); });
}

}  // namespace linnet::tools
