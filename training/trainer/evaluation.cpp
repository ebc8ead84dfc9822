#include "linnet/training/evaluation.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "linnet/error.h"
#include "linnet/session.h"

namespace linnet::training {
namespace {

double cross_entropy_of(std::span<const float> logits, int label) {
  const double largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return std::log(sum) + largest - static_cast<double>(logits[static_cast<std::size_t>(label)]);
}

// The mean of the logits of all views, into those of the first.
void average_views(float* logits, Index views, Index classes) {
  for (Index c = 0; views > 1 && c < classes; ++c) {
    double sum = 0;
    for (Index view = 0; view < views; ++view) sum += static_cast<double>(logits[view * classes + c]);
    logits[c] = static_cast<float>(sum / static_cast<double>(views));
  }
}

}  // namespace

Evaluation evaluate(const Model& model, Loader& loader, std::shared_ptr<ThreadPool> pool, const EvaluationHooks& hooks,
                    const std::vector<std::string>& disabled_passes) {
  const Index views = loader.options().views;
  const Index batch_size = loader.options().batch * views;
  CompileOptions options;
  options.batch = batch_size;
  options.threads = pool->threads();
  options.disabled_passes = disabled_passes;
  Session session(compile(model, options), std::move(pool));
  const Shape& expected = session.plan().input_shape();
  const Index values = element_count(expected) / batch_size;
  if (session.plan().output_count() != 1 || session.plan().output_shape().size() != 2)
    throw Error("evaluate: " + model.graph.name + " gives no vector of logits but " +
                to_string(session.plan().output_shape()));
  const Index classes = session.plan().output_shape().back();

  // The plan has a fixed batch: a last one that is not full keeps what the one before left in the rest.
  std::vector<float> input(static_cast<std::size_t>(values * batch_size), 0.0f);
  std::vector<float> output(static_cast<std::size_t>(classes * batch_size));
  Evaluation evaluation{Metrics(classes)};
  double loss = 0;
  loader.begin_epoch(0);
  while (std::optional<Batch> batch = loader.next()) {
    if (hooks.stop && hooks.stop()) {
      evaluation.complete = false;
      break;
    }
    const Tensor& pictures = batch->input;
    if (pictures.size() / pictures.dimension(0) != values || pictures.shape().back() != expected.back())
      throw Error("evaluate: " + model.graph.name + " takes " + to_string(expected) + ", the pictures are " +
                  to_string(pictures.shape()));
    std::copy_n(pictures.data(), pictures.size(), input.data());
    session.run(input, output);
    for (std::size_t i = 0; i < batch->labels.size(); ++i) {
      float* const first = output.data() + static_cast<Index>(i) * views * classes;
      average_views(first, views, classes);
      const std::span<const float> logits(first, static_cast<std::size_t>(classes));
      evaluation.metrics.add(logits, batch->labels[i]);
      loss += cross_entropy_of(logits, batch->labels[i]);
      if (hooks.sample) hooks.sample(batch->indices[i], batch->labels[i], logits);
    }
  }
  if (evaluation.metrics.samples() > 0) evaluation.loss = loss / static_cast<double>(evaluation.metrics.samples());
  return evaluation;
}

}  // namespace linnet::training
