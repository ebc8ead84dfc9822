#include "classifier.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "linnet/error.h"
#include "linnet/training/evaluation.h"
#include "linnet/training/progress.h"
#include "model_source.h"

namespace linnet::tools {
namespace {

/// "[########........]  128 of 1000 pictures, 420/s, 2 s left", over the line before.
void draw_progress(Index done, Index total, double seconds) {
  constexpr Index width = 24;
  const auto filled = static_cast<int>(width * done / total);
  const double rate = static_cast<double>(done) / std::max(seconds, 1e-9);
  std::fprintf(stderr, "\r[%.*s%.*s]  %td of %td pictures, %.0f/s, %s left\033[K", filled, "########################",
               static_cast<int>(width) - filled, "........................", done, total, rate,
               training::duration_text(static_cast<double>(total - done) / rate).c_str());
}

}  // namespace

Model load_classifier(const std::string& file) {
  Model model = load_model(file);
  if (model.graph.output_nodes().size() != 1 || model.graph.output().shape.size() != 1) {
    throw Error(file + ": expected a classifier with an output of shape [classes], found" + outputs_of(model.graph));
  }
  return model;
}

std::vector<int> best_classes(std::span<const float> logits, int count) {
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = std::min<std::ptrdiff_t>(count, std::ssize(order));
  std::partial_sort(order.begin(), order.begin() + kept, order.end(), [&](int a, int b) {
    const float left = logits[static_cast<std::size_t>(a)], right = logits[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
  });
  order.resize(static_cast<std::size_t>(kept));
  return order;
}

std::vector<float> probabilities(std::span<const float> logits) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  std::vector<float> result(logits.size());
  std::transform(logits.begin(), logits.end(), result.begin(), [&](float x) { return std::exp(x - largest); });
  const float sum = std::accumulate(result.begin(), result.end(), 0.0f);
  for (float& value : result) value /= sum;
  return result;
}

std::string class_name(const Model& model, int index) {
  const auto place = static_cast<std::size_t>(index);
  return place < model.labels.size() ? model.labels[place] : "class " + std::to_string(index);
}

Accuracy evaluate(const Model& model, std::shared_ptr<const training::Dataset> dataset, const CompileOptions& compile,
                  const OnPicture& on_picture) {
  const Shape& input = model.graph.input().shape;
  training::LoaderOptions options;
  options.batch = std::min(compile.batch, dataset->size());
  options.height = input[0];
  options.width = input[1];
  options.channels = input[2];
  options.preprocessing = model.preprocessing;
  training::Loader loader(dataset, options);

  const bool terminal = isatty(STDERR_FILENO) != 0;
  const auto begin = std::chrono::steady_clock::now();
  Index seen = 0;
  double next_drawing = 0;
  training::EvaluationHooks hooks;
  hooks.sample = [&](Index index, int, std::span<const float> logits) {
    if (on_picture) on_picture(index, logits);
    if (!terminal) return;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (++seen < dataset->size() && seconds < next_drawing) return;
    next_drawing = seconds + 0.1;
    draw_progress(seen, dataset->size(), seconds);
  };
  training::Evaluation result =
      training::evaluate(model, loader, std::make_shared<ThreadPool>(compile.threads), hooks, compile.disabled_passes);
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  if (terminal) std::fputs("\r\033[K", stderr);
  if (result.metrics.samples() == 0) throw Error("evaluate: none of the pictures could be read");
  return {std::move(result.metrics), result.loss, time.count(), loader.problems()};
}

}  // namespace linnet::tools
