#include <algorithm>
#include <utility>

#include "linnet/error.h"
#include "linnet/training/optimisers.h"

namespace linnet::training {
namespace {

constexpr Index chunk_size = 1 << 14;
constexpr const char* step_key = "step";

std::string slot_key(const std::string& parameter, const std::string& slot) { return parameter + "." + slot; }

}  // namespace

Optimiser::Optimiser(const Parameters& parameters, std::vector<std::string> slot_names, const OptimiserOptions& options)
    : slot_names_(std::move(slot_names)) {
  for (const TrainingModel::LearnableParameter& parameter : parameters) {
    const Shape& shape = parameter.variable.value().shape();
    const bool decays = options.decay_all || shape.size() >= 2;
    Entry entry{parameter.name, parameter.variable, {}, decays ? static_cast<float>(options.weight_decay) : 0.0f};
    for (std::size_t i = 0; i < slot_names_.size(); ++i) entry.slots.push_back(Tensor::zeros(shape));
    const Index size = parameter.variable.value().size();
    for (Index begin = 0; begin < size; begin += chunk_size)
      chunks_.push_back({entries_.size(), begin, std::min(chunk_size, size - begin)});
    entries_.push_back(std::move(entry));
  }
}

void Optimiser::step(double learning_rate, ThreadPool& pool) {
  begin_step(++steps_, learning_rate);
  pool.run(static_cast<Index>(chunks_.size()), [this](Index index, int) {
    const Chunk& chunk = chunks_[static_cast<std::size_t>(index)];
    Entry& entry = entries_[chunk.entry];
    const Tensor& gradient = entry.variable.gradient();
    if (gradient.empty()) return;
    Span span{
        chunk.size, entry.variable.value().data() + chunk.begin, gradient.data() + chunk.begin, {}, entry.weight_decay};
    for (std::size_t i = 0; i < entry.slots.size(); ++i) span.slots[i] = entry.slots[i].data() + chunk.begin;
    update(span);
  });
}

Weights Optimiser::state() const {
  Weights state;
  // Exact up to 2^24 steps; by then the bias correction, its only use, has long been 1.
  state[step_key] = Tensor::full({}, static_cast<float>(steps_));
  for (const Entry& entry : entries_)
    for (std::size_t i = 0; i < slot_names_.size(); ++i) state[slot_key(entry.name, slot_names_[i])] = entry.slots[i];
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
