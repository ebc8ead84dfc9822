#include "training/trainer/finite.h"

#include <bit>
#include <cstdint>
#include <numeric>

#include "linnet/training_model.h"

namespace linnet::training {
namespace {

bool is_finite(const Tensor& tensor) {
  constexpr std::uint32_t exponent = 0x7f800000;
  std::uint32_t found = 0;
  for (Index i = 0; i < tensor.size(); ++i)
    found |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(tensor.data()[i]) & exponent) == exponent);
  return found == 0;
}

}  // namespace

std::vector<bool> are_finite(const std::vector<const Tensor*>& tensors, ThreadPool& pool) {
  std::vector<char> finite(tensors.size());
  pool.run(static_cast<Index>(tensors.size()), [&](Index index, int) {
    const std::size_t i = static_cast<std::size_t>(index);
    finite[i] = is_finite(*tensors[i]);
  });
  return {finite.begin(), finite.end()};
}

std::string where_not_finite(const Graph& graph, const Weights& weights, const Tensor& input, std::uint64_t seed,
                             ThreadPool& pool) {
  for (const Parameter& parameter : parameters(graph))
    if (!is_finite(weights.at(parameter.name))) return "and " + parameter.name + " is not finite any more";
  // The same network, every layer of which is an output.
  Graph all = graph;
  all.outputs.resize(graph.nodes.size());
  std::iota(all.outputs.begin(), all.outputs.end(), 0);
  TrainingModel model(all, weights);
  const std::vector<autograd::Variable> values = model.forward_all(input, TrainingModel::Mode::training, seed, pool);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!is_finite(values[i].value())) {
      if (i == 0) return "and so is a value of the pictures";
      return "and the first value that is not finite comes from layer " + graph.nodes[i].name;
    }
  return "but all layers give finite values";
}

}  // namespace linnet::training
