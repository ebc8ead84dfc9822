// Finding out where numbers stop being finite.
#pragma once

#include <string>
#include <vector>

#include "linnet/model.h"
#include "linnet/thread_pool.h"

namespace linnet::training {

/// For each tensor whether all its values are finite; empty ones are.
std::vector<bool> are_finite(const std::vector<const Tensor*>& tensors, ThreadPool& pool);

/// Runs a forward pass of training again and says which is the first layer with a value that is not finite: "the first
/// value that is not finite comes from features.3.conv".
std::string where_not_finite(const Graph& graph, const Weights& weights, const Tensor& input, std::uint64_t seed,
                             ThreadPool& pool);

}  // namespace linnet::training
