// linnet classify MODEL PICTURE...: the most likely classes of pictures.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

#include "classifier.h"
#include "commands.h"
#include "linnet/error.h"
#include "linnet/session.h"
#include "linnet/training/image.h"
#include "pass_option.h"

namespace linnet::tools {
namespace {

struct ClassifyOptions {
  std::string model;
  std::vector<std::string> pictures;
  int top = 5;
  int threads = 0;
  std::vector<std::string> disabled_passes;
  bool rotate = false, json = false;
};

void run_classify(const ClassifyOptions& options) {
  const Model model = load_classifier(options.model);
  const auto pool = std::make_shared<ThreadPool>(options.threads);
  Session session(compile(model, {.threads = pool->threads(), .disabled_passes = options.disabled_passes}), pool);
  const Shape& shape = session.plan().input_shape();
  std::vector<float> input(static_cast<std::size_t>(element_count(shape)));
  std::vector<float> logits(static_cast<std::size_t>(element_count(session.plan().output_shape())));
  nlohmann::json array = nlohmann::json::array();
  bool failed = false;
  const auto orientation = options.rotate ? training::Orientation::as_tagged : training::Orientation::as_stored;
  for (const std::string& picture : options.pictures) {
    try {
      const training::Image image = training::prepare_for_evaluation(training::read_image(picture, orientation),
                                                                     model.preprocessing, shape[1], shape[2], shape[3]);
      normalise(model.preprocessing, shape[1] * shape[2], shape[3], image.pixels.data(), input.data());
    } catch (const Error& error) {
      std::fprintf(stderr, "linnet classify: %s\n", error.what());
      failed = true;
      continue;
    }
    session.run(input, logits);
    const std::vector<float> likely = probabilities(logits);
    nlohmann::json classes = nlohmann::json::array();
    if (!options.json) std::printf("%s\n", picture.c_str());
    for (const int index : best_classes(logits, options.top)) {
      const auto place = static_cast<std::size_t>(index);
      const std::string label = class_name(model, index);
      if (options.json) {
        classes.push_back(
            {{"class", index}, {"label", label}, {"probability", likely[place]}, {"logit", logits[place]}});
      } else {
        std::printf("  %5.1f %%  %s\n", 100.0 * static_cast<double>(likely[place]), label.c_str());
      }
    }
    array.push_back({{"file", picture}, {"classes", classes}});
  }
  if (options.json) std::printf("%s\n", array.dump(1).c_str());
  if (failed) throw Failed{};
}

}  // namespace

void add_classify(CLI::App& app) {
  CLI::App* command = app.add_subcommand("classify", "The most likely classes of pictures (JPEG, PNG, PPM)");
  auto options = std::make_shared<ClassifyOptions>();
  command->add_option("model", options->model, "Model file")->required();
  command->add_option("pictures", options->pictures, "Pictures")->required();
  command->add_option("--top", options->top, "How many classes to show")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--threads", options->threads, "Threads; 0: the big cores of this CPU")
      ->check(CLI::Range(0, 1024));
  command->add_flag("--rotate-by-exif", options->rotate, "Turn JPEG files as their EXIF orientation says");
  add_pass_option(*command, options->disabled_passes);
  command->add_flag("--json", options->json, "Print a JSON array");
  command->callback([options] { run_classify(*options); });
}

}  // namespace linnet::tools
