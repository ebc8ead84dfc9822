#include <algorithm>
#include <set>

#include "linnet/error.h"
#include "linnet/training/weights.h"

namespace linnet::training {
namespace {

bool remove_prefix(Weights& weights, const std::string& prefix) {
  const auto has_prefix = [&](const auto& entry) { return entry.first.starts_with(prefix); };
  if (weights.empty() || !std::all_of(weights.begin(), weights.end(), has_prefix)) return false;
  Weights renamed;
  for (auto& [name, tensor] : weights) renamed.emplace(name.substr(prefix.size()), std::move(tensor));
  weights = std::move(renamed);
  return true;
}

/// All rows of a tensor but the first.
Tensor without_first_row(const Tensor& tensor) {
  Shape shape = tensor.shape();
  const Index row = tensor.size() / shape.front();
  --shape.front();
  Tensor result(shape);
  std::copy_n(tensor.data() + row, result.size(), result.data());
  return result;
}

void drop_background(const Graph& graph, Weights& weights, std::vector<std::string>& notes) {
  for (const Parameter& parameter : classifier_parameters(graph)) {
    const auto found = weights.find(parameter.name);
    if (found == weights.end()) continue;
    const Shape& shape = found->second.shape();
    if (shape.empty() || shape.front() != parameter.shape.front() + 1) {
      throw Error("drop the background class: expected " + parameter.name + " with " +
                  std::to_string(parameter.shape.front() + 1) + " rows, found " + to_string(shape));
    }
    found->second = without_first_row(found->second);
    notes.push_back("dropped the first row (the background) of " + parameter.name);
  }
}

void check_classes(const Graph& graph, const Weights& weights) {
  for (const Parameter& parameter : classifier_parameters(graph)) {
    const auto found = weights.find(parameter.name);
    if (found == weights.end() || found->second.shape().size() != parameter.shape.size()) continue;
    const Index rows = found->second.shape().front(), classes = parameter.shape.front();
    if (rows == classes) continue;
    std::string advice = "; try --classes " + std::to_string(rows);
    if (rows == classes + 1) advice += ", or --drop-background if its first class is the background";
    throw Error(parameter.name + " has " + std::to_string(rows) + " classes, the network " + graph.name + " " +
                std::to_string(classes) + advice);
  }
}

void replace_head(const Graph& graph, Weights& weights, const AdaptOptions& options, std::vector<std::string>& notes) {
  const std::vector<Parameter> head = classifier_parameters(graph);
  const auto fits = [&weights](const Parameter& parameter) {
    const auto found = weights.find(parameter.name);
    return found != weights.end() && found->second.shape() == parameter.shape;
  };
  if (!options.always_new_head && std::all_of(head.begin(), head.end(), fits)) return;
  const auto found = weights.find(head.front().name);
  notes.push_back(head.front().name + " begins anew for " + std::to_string(head.front().shape.front()) + " classes" +
                  (found == weights.end() || found->second.shape().empty()
                       ? std::string()
                       : ", in place of " + std::to_string(found->second.shape().front())));
  for (const Parameter& parameter : head) weights.insert_or_assign(parameter.name, options.head->at(parameter.name));
}

/// A first convolution for 3 channels, for `channels` of them.
Tensor with_input_channels(const Tensor& weight, Index channels) {
  const Index outputs = weight.dimension(0), area = weight.dimension(2) * weight.dimension(3), known = 3;
  Tensor result(Shape{outputs, channels, weight.dimension(2), weight.dimension(3)});
  const float factor = channels == 1 ? 1.0f : 3.0f / static_cast<float>(channels);
  for (Index o = 0; o < outputs; ++o) {
    const float* from = weight.data() + o * known * area;
    for (Index c = 0; c < channels; ++c) {
      float* to = result.data() + (o * channels + c) * area;
      for (Index i = 0; i < area; ++i) {
        to[i] = channels == 1 ? from[i] + from[area + i] + from[2 * area + i] : factor * from[c % known * area + i];
      }
    }
  }
  return result;
}

void adapt_input(const Graph& graph, Weights& weights, std::vector<std::string>& notes) {
  const std::vector<Parameter> all = parameters(graph);
  if (all.empty() || all.front().shape.size() != 4) return;
  const Parameter& stem = all.front();
  const auto found = weights.find(stem.name);
  const Index channels = stem.shape[1];
  if (found == weights.end() || channels == 3) return;
  Shape expected = stem.shape;
  expected[1] = 3;
  if (found->second.shape() != expected) return;
  found->second = with_input_channels(found->second, channels);
  notes.push_back(channels == 1 ? "summed " + stem.name + " over its 3 input channels"
                                : "repeated " + stem.name + " for " + std::to_string(channels) + " input channels");
}

void leave_out_others(const Graph& graph, Weights& weights, std::vector<std::string>& notes) {
  std::set<std::string> known;
  for (const Parameter& parameter : parameters(graph)) known.insert(parameter.name);
  const std::size_t others = std::erase_if(weights, [&](const auto& entry) { return !known.contains(entry.first); });
  if (others != 0) notes.push_back("left out " + std::to_string(others) + " tensors behind the last feature map");
}

}  // namespace

std::vector<Parameter> classifier_parameters(const Graph& graph) {
  for (auto node = static_cast<int>(graph.nodes.size()) - 1; node > 0; --node) {
    std::vector<Parameter> owned = parameters(graph, node);
    if (!owned.empty()) return owned;
  }
  return {};
}

std::vector<std::string> adapt_weights(const Graph& graph, Weights& weights, const AdaptOptions& options) {
  std::vector<std::string> notes;
  const std::string prefix = "module.";
  if (remove_prefix(weights, prefix)) notes.push_back("took the prefix \"" + prefix + "\" off all names");
  if (options.leave_out_others) {
    leave_out_others(graph, weights, notes);
  } else {
    if (options.drop_background) drop_background(graph, weights, notes);
    if (options.head != nullptr) replace_head(graph, weights, options, notes);
    check_classes(graph, weights);
  }
  adapt_input(graph, weights, notes);
  check_weights(graph, weights);
  return notes;
}

}  // namespace linnet::training
