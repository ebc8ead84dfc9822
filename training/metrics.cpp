#include "linnet/training/metrics.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "linnet/error.h"

namespace linnet::training {

Index rank_of(std::span<const float> logits, int label) {
  const std::size_t place = static_cast<std::size_t>(label);
  const float own = logits[place];
  Index rank = 0;
  // Written so that NaN, whosever it is, counts against the label.
  for (std::size_t i = 0; i < place; ++i) rank += !(own > logits[i]);
  for (std::size_t i = place + 1; i < logits.size(); ++i) rank += !(own >= logits[i]);
  return rank;
}

int predicted_class(std::span<const float> logits) {
  return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

namespace {

/// The largest probability; 0 where it is not a number.
double confidence_of(std::span<const float> logits) {
  const double largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return std::isfinite(sum) ? 1 / sum : 0;
}

}  // namespace

Metrics::Metrics(Index classes) : classes_(classes), confusion_(static_cast<std::size_t>(classes * classes), 0) {}

void Metrics::add(std::span<const float> logits, int label) {
  if (static_cast<Index>(logits.size()) != classes_)
    throw Error("metrics: expected " + std::to_string(classes_) + " logits, found " + std::to_string(logits.size()));
  if (label < 0 || label >= classes_)
    throw Error("metrics: label " + std::to_string(label) + " is not one of the " + std::to_string(classes_) +
                " classes");
  const Index rank = rank_of(logits, label);
  ++samples_;
  top1_ += rank < 1;
  top5_ += rank < 5;
  ++confusion_[static_cast<std::size_t>(label * classes_ + predicted_class(logits))];
  const double confidence = confidence_of(logits);
  const double place = std::ceil(confidence * static_cast<double>(bins_.size())) - 1;
  Bin& bin = bins_[static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(bins_.size() - 1)))];
  ++bin.samples;
  bin.right += rank < 1;
  bin.confidence += confidence;
}

std::int64_t Metrics::confusion(Index label, Index prediction) const {
  return confusion_[static_cast<std::size_t>(label * classes_ + prediction)];
}

ClassScores Metrics::scores(Index label) const {
  const auto ratio = [](std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  std::int64_t predicted = 0;
  ClassScores scores;
  for (Index i = 0; i < classes_; ++i) {
    scores.support += confusion(label, i);
    predicted += confusion(i, label);
  }
  const std::int64_t right = confusion(label, label);
  scores.precision = ratio(right, predicted);
  scores.recall = ratio(right, scores.support);
  scores.f1 = ratio(2 * right, predicted + scores.support);
  return scores;
}

ClassScores Metrics::macro_scores() const {
  ClassScores mean;
  for (Index label = 0; label < classes_; ++label) {
    const ClassScores one = scores(label);
    mean.precision += one.precision / static_cast<double>(classes_);
    mean.recall += one.recall / static_cast<double>(classes_);
    mean.f1 += one.f1 / static_cast<double>(classes_);
    mean.support += one.support;
  }
  return mean;
}

std::vector<CalibrationBin> Metrics::calibration() const {
  std::vector<CalibrationBin> result;
  for (const Bin& bin : bins_) {
    const double samples = static_cast<double>(std::max<std::int64_t>(bin.samples, 1));
    result.push_back({bin.samples, bin.confidence / samples, static_cast<double>(bin.right) / samples});
  }
  return result;
}

double Metrics::calibration_error() const {
  double sum = 0;
  for (const CalibrationBin& bin : calibration())
    sum += static_cast<double>(bin.samples) * std::abs(bin.accuracy - bin.confidence);
  return samples_ == 0 ? 0 : sum / static_cast<double>(samples_);
}

double Metrics::share(std::int64_t count) const {
  return samples_ == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(samples_);
}

}  // namespace linnet::training
