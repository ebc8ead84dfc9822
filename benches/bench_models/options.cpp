#include "benches/bench_models/options.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "linnet/architectures.h"
#include "linnet/compile.h"

namespace linnet::bench {
namespace {

/// One or two of every family: what fits a board, and what is compared in public.
const std::vector<std::string> typical = {"mobilenetv1_100",
                                          "mobilenetv2_100",
                                          "mobilenetv3_small_100",
                                          "mobilenetv3_large_100",
                                          "mobilenetv4_conv_small",
                                          "mobilenetv4_conv_medium",
                                          "mobilenetv4_hybrid_medium",
                                          "efficientnet_lite0",
                                          "efficientnet_b0",
                                          "shufflenetv1_g3_100",
                                          "shufflenet_v2_x1_0",
                                          "squeezenet1_0",
                                          "squeezenet1_1",
                                          "nasnetamobile"};

std::vector<std::string> all_architectures() {
  std::vector<std::string> names;
  for (const architectures::Variant& variant : architectures::variants()) names.push_back(variant.name);
  return names;
}

std::string known_precision(const std::string& precision) {
  if (precision == "f32") return {};
  return "unknown precision '" + precision + "'; there is f32";
}

/// " remove_training_nodes ..."
std::string passes() {
  std::string names;
  for (const std::string& name : pass_names()) names += " " + name;
  return names;
}

std::string known_pass(const std::string& pass) {
  if ((passes() + " ").find(" " + pass + " ") != std::string::npos) return {};
  return "unknown pass '" + pass + "'; there are" + passes();
}

/// "--threads N,...=1": without what the checks allow, which their messages tell.
class ShortFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";
    const std::string type = option->get_type_name(), value = option->get_default_str();
    std::string text = " " + type.substr(0, type.find(':'));
    if (!value.empty()) text += "=" + (value[0] == '[' ? value.substr(1, value.size() - 2) : value);
    return text;
  }
};

/// Only one result fits on stdout.
void check_outputs(const Options& options) {
  int on_stdout = 0;
  for (const std::string& path : {options.json, options.benchmark_json, options.csv, options.markdown})
    on_stdout += path == "-" ? 1 : 0;
  if (on_stdout > 1) throw CLI::ValidationError("only one of the results can go to stdout");
}

}  // namespace

Parsed parse_command_line(int argc, const char* const* argv) {
  Options options;
  CLI::App app("Latency of networks on this machine: every model x precision x threads x batch.");
  app.formatter(std::make_shared<ShortFormatter>());
  app.option_defaults()->always_capture_default();
  app.add_option("--model", options.models,
                 "networks or model files; all: every network (default: one or two of every family)")
      ->delimiter(',')
      ->default_str("")
      ->type_name("NAME,...");
  app.add_option("--threads", options.threads, "threads, the caller's included")
      ->delimiter(',')
      ->type_name("N,...")
      ->check(CLI::Range(1, 1024));
  app.add_option("--batch", options.batches, "pictures per run")
      ->delimiter(',')
      ->type_name("B,...")
      ->check(CLI::Range(1, 65536));
  app.add_option("--precision", options.precisions, "f32")
      ->delimiter(',')
      ->type_name("P,...")
      ->check(CLI::Validator(known_precision, "", "precision"));
  app.add_option("--runs", options.runs, "timed runs")->type_name("R")->check(CLI::Range(1, 10000000));
  app.add_option("--duration", options.duration, "seconds that each row takes at least, with more runs")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e6));
  app.add_option("--warmup", options.warmup, "runs before them (default: until two medians of 5 differ by 2 % or less)")
      ->type_name("W")
      ->check(CLI::Range(0, 10000000));
  app.add_option("--soak", options.soak, "minutes without a break for each row, and the curve over time")
      ->type_name("MINUTES")
      ->check(CLI::Range(0.0, 1e5));
  app.add_option("--cooldown", options.cooldown,
                 "seconds of rest before each row but the first; fewer once the CPU is as cool as at the start")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e6));
  app.add_option("--affinity", options.affinity, "run on these CPUs alone: the fastest cluster, the slowest, or a list")
      ->type_name("big|little|LIST");
  app.add_option("--accuracy", options.accuracy,
                 "top-1 of model files over labelled pictures, binary PPM or PGM of the network's input size: a folder "
                 "(sub-folders in the order of the classes, or CLASS_name.ppm) or a list (lines PICTURE CLASS)")
      ->type_name("FOLDER|LIST");
  app.add_option("--json", options.json, "write the results to this file as JSON; - for stdout")->type_name("FILE");
  app.add_option("--benchmark-json", options.benchmark_json, "the same in Google Benchmark's schema")
      ->type_name("FILE");
  app.add_option("--csv", options.csv, "the same as comma-separated values")->type_name("FILE");
  app.add_option("--markdown", options.markdown, "the same as a Markdown table")->type_name("FILE");
  app.add_flag("--profile", options.profile, "also show where the time goes, step by step");
  app.add_option("--disable-pass", options.disabled_passes, "passes of the compiler to leave out:" + passes())
      ->delimiter(',')
      ->default_str("")
      ->type_name("PASS,...")
      ->check(CLI::Validator(known_pass, "", "pass"));
  Comparison comparison;
  CLI::App* compare = app.add_subcommand("compare", "What became faster or slower from one --json file to another");
  compare->add_option("A", comparison.a, "the first file")->required();
  compare->add_option("B", comparison.b, "the second file, measured against the first")->required();
  try {
    app.parse(argc, argv);
    check_outputs(options);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return {.options = std::nullopt, .comparison = std::nullopt, .exit_code = 0};
  } catch (const CLI::ParseError& error) {
    std::cerr << "bench_models: " << error.what() << '\n';
    return {.options = std::nullopt, .comparison = std::nullopt, .exit_code = 2};
  }
  if (compare->parsed()) return {.options = std::nullopt, .comparison = std::move(comparison), .exit_code = 0};
  if (options.models.empty()) options.models = typical;
  if (options.models == std::vector<std::string>{"all"}) options.models = all_architectures();
  return {.options = std::move(options), .comparison = std::nullopt, .exit_code = 0};
}

}  // namespace linnet::bench
