#include "classifier.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "linnet/error.h"
#include "linnet/training/loader.h"

namespace linnet::tools {

Model load_classifier(const std::string& file) {
  Model model = load_model(file);
  if (model.graph.output().shape.size() != 1) {
    throw Error(file + ": expected a classifier with an output of shape [classes], found " +
                to_string(model.graph.output().shape));
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

Evaluation evaluate(const Model& model, std::shared_ptr<const training::Dataset> dataset, Index batch, int threads,
                    const OnPicture& on_picture) {
  const Index classes = model.graph.output().shape[0];
  const Shape& input = model.graph.input().shape;
  for (Index i = 0; i < dataset->size(); ++i) {
    if (dataset->label(i) >= classes) {
      throw Error("evaluate: the model has " + std::to_string(classes) + " classes, but " + dataset->name(i) +
                  " has class " + std::to_string(dataset->label(i)));
    }
  }
  auto pool = std::make_shared<ThreadPool>(threads);
  batch = std::min(batch, dataset->size());
  Session session(compile(model, {.batch = batch, .threads = pool->threads()}), pool);

  training::LoaderOptions options;
  options.batch = batch;
  options.height = input[0];
  options.width = input[1];
  options.channels = input[2];
  options.preprocessing = model.preprocessing;
  training::Loader loader(dataset, options);

  Evaluation result{training::Metrics(classes), 0, {}};
  std::vector<float> logits(static_cast<std::size_t>(batch * classes));
  std::vector<float> padded(static_cast<std::size_t>(batch * element_count(input)));
  const auto begin = std::chrono::steady_clock::now();
  const bool terminal = isatty(STDERR_FILENO) != 0;
  loader.begin_epoch(0);
  while (const std::optional<training::Batch> next = loader.next()) {
    const auto samples = static_cast<Index>(next->labels.size());
    std::span<const float> values(next->input.data(), static_cast<std::size_t>(next->input.size()));
    if (samples < batch) {  // the last batch, or one with damaged pictures
      std::copy(values.begin(), values.end(), padded.begin());
      values = padded;
    }
    session.run(values, logits);
    for (Index i = 0; i < samples; ++i) {
      const auto place = static_cast<std::size_t>(i);
      const std::span<const float> row(logits.data() + i * classes, static_cast<std::size_t>(classes));
      result.metrics.add(row, next->labels[place]);
      if (on_picture) on_picture(next->indices[place], row);
    }
    if (terminal) {
      std::fprintf(stderr, "\r%lld of %lld pictures, top-1 %.2f %%", static_cast<long long>(result.metrics.samples()),
                   static_cast<long long>(dataset->size()), 100 * result.metrics.top1());
    }
  }
  if (terminal) std::fprintf(stderr, "\r\033[K");
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  result.problems = loader.problems();
  return result;
}

}  // namespace linnet::tools
