#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <utility>

#include "linnet/error.h"
#include "training/optimisers/rules.h"

namespace linnet::training {
namespace {

constexpr Index chunk_size = 1 << 14;
constexpr const char* step_key = "step";

std::string slot_key(const std::string& parameter, const char* slot) { return parameter + "." + slot; }

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

void check_pattern(const std::string& pattern, const char* option, const Optimiser::Parameters& parameters) {
  for (const TrainingModel::LearnableParameter& parameter : parameters)
    if (matches(pattern, parameter.name)) return;
  throw Error("optimiser: no parameter's name matches '" + pattern + "' of " + option);
}

// Twice the sum of squares: of a part of a parameter and of its direction.
using SquareSums = std::array<double, 2>;

double sum_of_squares(const float* values, Index size) {
  double sum = 0;
  for (Index i = 0; i < size; ++i) sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  return sum;
}

}  // namespace

Optimiser::Optimiser(const OptimiserOptions& options, const Parameters& parameters)
    : options_(options), rule_(find_optimiser_rule(options.kind)) {
  if (options.kind == "sgd" && options.nesterov && options.dampening != 0)
    throw Error("optimiser: nesterov and dampening exclude each other");
  options_.beta2 = options.beta2.value_or(rule_.beta2);
  options_.epsilon = options.epsilon.value_or(rule_.epsilon);
  for (const std::string& pattern : options.no_decay) check_pattern(pattern, "no_decay", parameters);
  for (const auto& [pattern, factor] : options.lr_factors) check_pattern(pattern, "lr_factors", parameters);
  for (const TrainingModel::LearnableParameter& parameter : parameters) add(parameter);
}

bool Optimiser::decays(const TrainingModel::LearnableParameter& parameter) const {
  for (const std::string& pattern : options_.no_decay)
    if (matches(pattern, parameter.name)) return false;
  switch (parameter.role) {
    case ParameterRole::weight:
      return true;
    case ParameterRole::bias:
      return options_.decay_biases;
    default:
      return options_.decay_norms;
  }
}

double Optimiser::lr_factor(const std::string& name) const {
  for (const auto& [pattern, factor] : options_.lr_factors)
    if (matches(pattern, name)) return factor;
  return 1;
}

void Optimiser::add(const TrainingModel::LearnableParameter& parameter) {
  const Tensor& value = parameter.variable.value();
  Entry entry{parameter.name,
              parameter.variable,
              {},
              decays(parameter) ? options_.weight_decay : 0.0,
              lr_factor(parameter.name)};
  for (const OptimiserSlot& slot : rule_.slots) {
    const bool wanted = slot.wanted == nullptr || slot.wanted(options_);
    entry.slots.push_back(wanted ? Tensor::full(value.shape(), slot.initial) : Tensor());
  }
  for (Index begin = 0; begin < value.size(); begin += chunk_size)
    chunks_.push_back({entries_.size(), begin, std::min(chunk_size, value.size() - begin)});
  entries_.push_back(std::move(entry));
}

void Optimiser::step(double learning_rate, ThreadPool& pool, std::optional<double> momentum) {
  ++steps_;
  OptimiserOptions options = options_;
  if (momentum) options.momentum = options.beta1 = *momentum;
  const OptimiserStep step{options, steps_};

  const auto for_each_chunk = [&](auto&& function) {
    pool.run(static_cast<Index>(chunks_.size()), [&](Index index, int) {
      const Chunk& chunk = chunks_[static_cast<std::size_t>(index)];
      Entry& entry = entries_[chunk.entry];
      Tensor& gradient = entry.variable.gradient();
      if (gradient.empty()) return;
      OptimiserSpan span{chunk.size,
                         entry.variable.value().data() + chunk.begin,
                         gradient.data() + chunk.begin,
                         {},
                         learning_rate * entry.lr_factor,
                         entry.weight_decay};
      for (std::size_t i = 0; i < entry.slots.size(); ++i)
        if (!entry.slots[i].empty()) span.slots[i] = entry.slots[i].data() + chunk.begin;
      function(static_cast<std::size_t>(index), span);
    });
  };
  if (rule_.finish == nullptr) {
    for_each_chunk([&](std::size_t, const OptimiserSpan& span) { rule_.update(step, span); });
    return;
  }
  std::vector<SquareSums> of_chunks(chunks_.size(), SquareSums{}), of_entries(entries_.size(), SquareSums{});
  for_each_chunk([&](std::size_t index, const OptimiserSpan& span) {
    rule_.update(step, span);
    of_chunks[index] = {sum_of_squares(span.parameter, span.size), sum_of_squares(span.gradient, span.size)};
  });
  for (std::size_t i = 0; i < chunks_.size(); ++i)
    for (std::size_t k = 0; k < 2; ++k) of_entries[chunks_[i].entry][k] += of_chunks[i][k];
  for_each_chunk([&](std::size_t index, const OptimiserSpan& span) {
    const SquareSums& sums = of_entries[chunks_[index].entry];
    rule_.finish(step, span, sums[0], sums[1]);
  });
}

Weights Optimiser::state() const {
  Weights state;
  // Exact up to 2^24 steps; by then the bias correction, its only use, has long been 1.
  state[step_key] = Tensor::full({}, static_cast<float>(steps_));
  for (const Entry& entry : entries_)
    for (std::size_t i = 0; i < entry.slots.size(); ++i)
      if (!entry.slots[i].empty()) state[slot_key(entry.name, rule_.slots[i].name)] = entry.slots[i];
  return state;
}

void Optimiser::set_state(const Weights& state) {
  Weights own = this->state();
  for (const auto& [key, tensor] : state)
    if (!own.contains(key)) throw Error("optimiser state: '" + key + "' is not expected");
  for (auto& [key, tensor] : own) {
    const auto found = state.find(key);
    if (found == state.end()) throw Error("optimiser state: '" + key + "' is missing");
    if (found->second.shape() != tensor.shape())
      throw Error("optimiser state: '" + key + "' must be " + to_string(tensor.shape()) + ", found " +
                  to_string(found->second.shape()));
    std::copy_n(found->second.data(), tensor.size(), tensor.data());
  }
  steps_ = static_cast<std::int64_t>(*own.at(step_key).data());
}

}  // namespace linnet::training
