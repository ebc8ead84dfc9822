// Multi-query attention and its gradients.
//
// Query [batch][positions][heads][depth], key and value [batch][keys][depth], dense:
//   probabilities[p][h] = softmax over k of (query[p][h] . key[k] / sqrt(depth))
//   output[p][h] = sum over k of probabilities[p][h][k] * value[k]
// Results do not depend on the number of threads. No aliasing.
#pragma once

#include <cstddef>

#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

struct AttentionShape {
  Index batch = 0;
  Index positions = 0;
  Index heads = 0;
  Index keys = 0;
  Index depth = 0;

  Index rows() const { return positions * heads; }
  /// Floats of the probabilities of one sample.
  Index scores() const { return rows() * keys; }
};

struct AttentionArgs {
  AttentionShape shape;
  const float* query = nullptr;
  const float* key = nullptr;
  const float* value = nullptr;
  float* output = nullptr;
  float* probabilities = nullptr;  ///< [batch][positions][heads][keys], or null if they are not wanted
  float* workspace = nullptr;      ///< attention_workspace_size() floats, 64-byte aligned
};

std::size_t attention_workspace_size(const AttentionShape& shape);

void attention(ThreadPool& pool, const AttentionArgs& args);

/// Takes its scratch from the calling thread. Overwrites the three gradients.
struct AttentionGradientArgs {
  AttentionShape shape;
  const float* query = nullptr;
  const float* key = nullptr;
  const float* value = nullptr;
  const float* probabilities = nullptr;
  const float* output_gradient = nullptr;
  float* query_gradient = nullptr;
  float* key_gradient = nullptr;
  float* value_gradient = nullptr;
};
void attention_gradient(ThreadPool& pool, const AttentionGradientArgs& args);

}  // namespace linnet::kernels
