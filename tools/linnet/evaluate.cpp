// linnet evaluate MODEL FOLDER: accuracy over labelled pictures.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "classifier.h"
#include "commands.h"
#include "linnet/error.h"
#include "linnet/safetensors.h"
#include "pass_option.h"

namespace linnet::tools {
namespace {

struct EvaluateOptions {
  std::string model, folder, kind = "auto", split = "test", predictions;
  CompileOptions compile{.batch = 32, .threads = 0};
  bool strict = false, rotate = false, json = false;
};

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

/// "file,class1,...,class5,logit"
std::string csv_line(const std::string& file, std::span<const float> logits) {
  std::string line = csv_field(file);
  const std::vector<int> best = best_classes(logits, 5);
  for (std::size_t place = 0; place < 5; ++place) {
    line += "," + (place < best.size() ? std::to_string(best[place]) : std::string());
  }
  char number[32];
  std::snprintf(number, sizeof number, ",%.9g\n", static_cast<double>(logits[static_cast<std::size_t>(best[0])]));
  return line + number;
}

void run_evaluate(const EvaluateOptions& options) {
  const Model model = load_classifier(options.model);
  const std::shared_ptr<const training::Dataset> dataset = training::open_dataset(
      options.folder,
      {.kind = training::dataset_kind_from_name(options.kind),
       .split = options.split == "train" ? training::Split::train : training::Split::test,
       .strict = options.strict,
       .orientation = options.rotate ? training::Orientation::as_tagged : training::Orientation::as_stored});
  std::string csv = "file,class1,class2,class3,class4,class5,logit\n";
  const Accuracy result = evaluate(model, dataset, options.compile, [&](Index index, std::span<const float> logits) {
    if (!options.predictions.empty()) csv += csv_line(dataset->name(index), logits);
  });
  if (!options.predictions.empty()) write_file_atomically(options.predictions, csv.data(), csv.size());

  for (const std::string& file : dataset->foreign_files()) {
    std::fprintf(stderr, "linnet evaluate: %s: not a picture, left out\n", file.c_str());
  }
  for (const std::string& problem : result.problems) std::fprintf(stderr, "linnet evaluate: %s\n", problem.c_str());
  const double rate = static_cast<double>(result.metrics.samples()) / result.seconds;
  if (options.json) {
    const nlohmann::json report = {{"model", options.model},
                                   {"data", options.folder},
                                   {"images", result.metrics.samples()},
                                   {"damaged", result.problems.size()},
                                   {"foreign", dataset->foreign_files().size()},
                                   {"top1", 100 * result.metrics.top1()},
                                   {"top5", 100 * result.metrics.top5()},
                                   {"images_per_s", rate}};
    std::printf("%s\n", report.dump(1).c_str());
  } else {
    std::printf("%lld pictures: top-1 %.2f %%, top-5 %.2f %% (%.0f pictures/s)\n",
                static_cast<long long>(result.metrics.samples()), 100 * result.metrics.top1(),
                100 * result.metrics.top5(), rate);
    if (!result.problems.empty()) std::printf("%zu damaged pictures were left out\n", result.problems.size());
  }
  if (!result.problems.empty()) throw Failed{};
}

}  // namespace

void add_evaluate(CLI::App& app) {
  CLI::App* command = app.add_subcommand("evaluate", "Accuracy of a model over labelled pictures");
  auto options = std::make_shared<EvaluateOptions>();
  command->add_option("model", options->model, "Model file")->required();
  command
      ->add_option("folder", options->folder,
                   "Folder of pictures, one sub-folder per class or CLASS_name.jpg; or an MNIST or CIFAR folder")
      ->required();
  command->add_option("--kind", options->kind, "auto, idx, cifar10, cifar100 or folder")->capture_default_str();
  command->add_option("--split", options->split, "Which part, where the folder has both")
      ->check(CLI::IsMember({"train", "test"}))
      ->capture_default_str();
  command->add_option("--batch", options->compile.batch, "Pictures per run")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--threads", options->compile.threads, "Threads; 0: the big cores of this CPU")
      ->check(CLI::Range(0, 1024));
  command->add_option("--predictions", options->predictions,
                      "Write a CSV file: picture, its five best classes, the largest logit");
  add_pass_option(*command, options->compile.disabled_passes);
  command->add_flag("--strict", options->strict, "Foreign files are an error");
  command->add_flag("--rotate-by-exif", options->rotate, "Turn JPEG files as their EXIF orientation says");
  command->add_flag("--json", options->json, "Print a JSON object");
  command->callback([options] { run_evaluate(*options); });
}

}  // namespace linnet::tools
