// linnet summary NAME|FILE: parameters, multiply-adds and activation sizes, layer by layer.
#include "linnet/summary.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "dot.h"
#include "model_source.h"
#include "text.h"

namespace linnet::tools {
namespace {

struct SummaryOptions {
  std::string model;
  std::vector<Index> features;
  bool json = false, dot = false;
};

void print_json(const Graph& graph, const Summary& counts) {
  const std::shared_ptr<const Plan> plan = plan_of(graph);
  nlohmann::json layers = nlohmann::json::array();
  for (const LayerSummary& layer : counts.layers) {
    layers.push_back({{"name", layer.name},
                      {"op", layer.op},
                      {"shape", layer.shape},
                      {"parameters", layer.parameters},
                      {"macs", layer.macs},
                      {"activation_bytes", layer.activation_bytes}});
  }
  nlohmann::json outputs = nlohmann::json::array();
  for (const int output : graph.output_nodes()) outputs.push_back(graph.nodes[static_cast<std::size_t>(output)].shape);
  const nlohmann::json report = {{"name", graph.name},
                                 {"input", graph.input().shape},
                                 {"output", graph.output().shape},
                                 {"outputs", outputs},
                                 {"parameters", counts.parameters},
                                 {"run_stats", counts.run_stats},
                                 {"tensors", counts.tensors},
                                 {"macs", counts.macs},
                                 {"activation_bytes", counts.activation_bytes},
                                 {"arena_bytes", plan->arena_bytes()},
                                 {"peak_bytes", plan->peak_bytes()},
                                 {"layers", layers}};
  std::printf("%s\n", report.dump(1).c_str());
}

void print_text(const Graph& graph, const Summary& counts) {
  std::vector<std::vector<std::string>> rows = {{"layer", "op", "output", "parameters", "MACs", "activation bytes"}};
  for (const LayerSummary& layer : counts.layers) {
    rows.push_back({layer.name, layer.op, to_string(layer.shape), grouped_digits(layer.parameters),
                    grouped_digits(layer.macs), grouped_digits(layer.activation_bytes)});
  }
  print_table(rows);
  std::printf("\n%s\n", describe(graph).c_str());
  std::printf("parameters        %s (%s as float32)\n", grouped_digits(counts.parameters).c_str(),
              short_bytes(4 * (counts.parameters + counts.run_stats)).c_str());
  std::printf("run statistics    %s\n", grouped_digits(counts.run_stats).c_str());
  std::printf("tensors           %s\n", grouped_digits(counts.tensors).c_str());
  std::printf("multiply-adds     %s\n", grouped_digits(counts.macs).c_str());
  std::printf("all activations   %s\n", short_bytes(counts.activation_bytes).c_str());
  const std::shared_ptr<const Plan> plan = plan_of(graph);
  const auto arena = static_cast<std::int64_t>(plan->arena_bytes()),
             peak = static_cast<std::int64_t>(plan->peak_bytes());
  std::printf("arena             %s, of which %s are in use at the peak (%.1f %%)\n", short_bytes(arena).c_str(),
              short_bytes(peak).c_str(), arena > 0 ? 100.0 * double(peak) / double(arena) : 100.0);
}

}  // namespace

void add_summary(CLI::App& app) {
  CLI::App* command = app.add_subcommand("summary", "Parameters, multiply-adds and activation sizes per layer");
  auto options = std::make_shared<SummaryOptions>();
  command->add_option("model", options->model, "Name of a network, or a model file")->required();
  command->add_option("--features", options->features, "A backbone with the last maps of these strides: 4,8,16,32")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::PositiveNumber);
  CLI::Option* json = command->add_flag("--json", options->json, "Print a JSON object");
  command->add_flag("--dot", options->dot, "Print a drawing for Graphviz: ... --dot | dot -Tsvg > network.svg")
      ->excludes(json);
  command->callback([options] {
    const Graph graph = graph_from(options->model, options->features);
    if (options->dot) {
      std::fputs(to_dot(graph).c_str(), stdout);
      return;
    }
    const Summary counts = summary(graph);
    options->json ? print_json(graph, counts) : print_text(graph, counts);
  });
}

}  // namespace linnet::tools
