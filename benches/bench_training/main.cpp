// bench_training: images per second of training steps (forward, loss, backward, optimiser) on random pictures.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "linnet/architectures.h"
#include "linnet/cpu.h"
#include "linnet/error.h"
#include "linnet/model.h"
#include "linnet/thread_pool.h"
#include "linnet/training/losses.h"
#include "linnet/training/optimisers.h"
#include "linnet/training_model.h"

namespace linnet::bench {
namespace {

struct Options {
  std::string model = "mobilenetv2_100";
  int resolution = 0, batch = 16, threads = 1, classes = 0;
  double seconds = 4.0;
  std::string json;
};

struct Result {
  int resolution = 0, classes = 0, steps = 0;
  double images_per_second = 0, min_ms = 0, median_ms = 0;
  double peak_mb = 0;  ///< the most memory that the process held
};

/// Everything that a step needs.
class Steps {
 public:
  Steps(const Graph& graph, int batch, int threads)
      : model_(graph, initial_weights(graph, 0)), optimiser_(sgd(), model_.parameters()), pool_(threads) {
    Shape shape{batch};
    const Shape& sample = graph.input().shape;
    shape.insert(shape.end(), sample.begin(), sample.end());
    input_ = Tensor(shape);
    std::mt19937 generator(0);
    for (Index i = 0; i < input_.size(); ++i) input_.data()[i] = static_cast<float>(generator()) * 0x1p-31f - 1.0f;
    const Index classes = graph.output().shape.back();
    std::vector<int> labels(static_cast<std::size_t>(batch));
    for (int& label : labels) label = static_cast<int>(generator() % static_cast<std::mt19937::result_type>(classes));
    targets_ = training::one_hot(labels, classes);
  }

  void run() {
    const auto logits = model_.forward(input_, TrainingModel::Mode::training, seed_++, pool_);
    const auto loss = training::cross_entropy(logits, targets_, pool_);
    for (auto& parameter : model_.parameters()) parameter.variable.clear_gradient();
    autograd::backward(loss, pool_);
    optimiser_.step(0.01, pool_);
  }

 private:
  static training::OptimiserOptions sgd() {
    training::OptimiserOptions options;
    options.weight_decay = 1e-4;
    return options;
  }

  TrainingModel model_;
  training::Optimiser optimiser_;
  ThreadPool pool_;
  Tensor input_, targets_;
  std::uint64_t seed_ = 0;
};

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

Result measure(const Options& options) {
  using Clock = std::chrono::steady_clock;
  const auto ms_since = [](Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  };
  architectures::BuildOptions build;
  build.height = options.resolution;
  Result result;
  result.resolution = options.resolution > 0 ? options.resolution
                                             : static_cast<int>(architectures::build(options.model).input().shape[0]);
  result.classes = options.classes > 0 ? options.classes : result.resolution >= 128 ? 1000 : 10;
  build.classes = result.classes;
  Steps steps(architectures::build(options.model, build), options.batch, options.threads);

  constexpr int warmup = 3, least = 3;
  for (int i = 0; i < warmup; ++i) steps.run();
  std::vector<double> samples;
  for (const auto begin = Clock::now(); samples.size() < least || ms_since(begin) < 1000 * options.seconds;) {
    const auto step = Clock::now();
    steps.run();
    samples.push_back(ms_since(step));
  }
  std::sort(samples.begin(), samples.end());
  result.steps = static_cast<int>(samples.size());
  result.min_ms = samples.front();
  result.median_ms = samples[samples.size() / 2];
  result.images_per_second = 1000 * options.batch / result.median_ms;
  result.peak_mb = peak_mb();
  return result;
}

void run(const Options& options) {
  const Result result = measure(options);
  const nlohmann::ordered_json report = {
      {"model", options.model},        {"resolution", result.resolution},
      {"classes", result.classes},     {"batch", options.batch},
      {"threads", options.threads},    {"isa", to_string(selected_isa())},
      {"steps", result.steps},         {"min_ms", result.min_ms},
      {"median_ms", result.median_ms}, {"images_per_second", result.images_per_second},
      {"peak_mb", result.peak_mb}};
  if (options.json == "-") {
    std::cout << report.dump() << '\n';
    return;
  }
  std::printf(
      "%s, %d px, batch %d, %d thread%s (%s): %.1f images/s; step median %.1f ms, least %.1f ms of %d; %.0f MB\n",
      options.model.c_str(), result.resolution, options.batch, options.threads, options.threads == 1 ? "" : "s",
      std::string(to_string(selected_isa())).c_str(), result.images_per_second, result.median_ms, result.min_ms,
      result.steps, result.peak_mb);
  if (options.json.empty()) return;
  std::ofstream file(options.json);
  file << report.dump() << '\n' << std::flush;
  if (!file) throw Error("cannot write " + options.json);
}

}  // namespace
}  // namespace linnet::bench

int main(int argc, char** argv) {
  linnet::bench::Options options;
  CLI::App app("Speed of training on random pictures: forward, cross entropy, backward, SGD with Nesterov momentum.");
  app.option_defaults()->always_capture_default();
  app.add_option("--model", options.model, "network")->type_name("NAME");
  app.add_option("--resolution", options.resolution, "height and width; 0: the network's own")
      ->type_name("N")
      ->check(CLI::Range(0, 4096));
  app.add_option("--batch", options.batch, "pictures per step")->type_name("B")->check(CLI::Range(2, 65536));
  app.add_option("--threads", options.threads, "threads, the caller's included")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  app.add_option("--classes", options.classes, "classes; 0: 1000 from 128 pixels on, else 10")
      ->type_name("N")
      ->check(CLI::Range(0, 1000000));
  app.add_option("--seconds", options.seconds, "measure for about this long, at least three steps")
      ->type_name("S")
      ->check(CLI::Range(0.0, 86400.0));
  app.add_option("--json", options.json, "write the result to this file as JSON; - for stdout")->type_name("FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::ParseError& error) {
    std::cerr << "bench_training: " << error.what() << '\n';
    return 2;
  }
  try {
    linnet::bench::run(options);
  } catch (const std::exception& error) {
    std::cerr << "bench_training: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
