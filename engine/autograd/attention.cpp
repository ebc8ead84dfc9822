#include "kernels/attention/attention.h"

#include "engine/autograd/checks.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {

Variable multi_query_attention(const Variable& query, const Variable& key, const Variable& value, Index heads,
                               ThreadPool& pool) {
  Tensor output(batch_output_shape(op::MultiQueryAttention{heads}, {query, key, value}));
  check_shape("multi_query_attention", "a key", {query.shape()[0], key.shape()[1], key.shape()[2], key.shape()[3]},
              key.shape());
  check_shape("multi_query_attention", "a value", key.shape(), value.shape());
  const kernels::AttentionShape shape{.batch = query.shape()[0],
                                      .positions = query.shape()[1] * query.shape()[2],
                                      .heads = heads,
                                      .keys = key.shape()[1] * key.shape()[2],
                                      .depth = key.shape()[3]};
  Tensor probabilities({shape.batch, shape.positions, shape.heads, shape.keys});
  Tensor workspace({static_cast<Index>(kernels::attention_workspace_size(shape))});
  kernels::attention(pool, {.shape = shape,
                            .query = query.value().data(),
                            .key = key.value().data(),
                            .value = value.value().data(),
                            .output = output.data(),
                            .probabilities = probabilities.data(),
                            .workspace = workspace.data()});
  return Variable::record(
      "multi_query_attention", std::move(output), {query, key, value},
      [shape, probabilities, query = query.value(), key = key.value(), value = value.value(),
       &pool](const Tensor& gradient) {
        std::vector<Tensor> gradients = {Tensor(query.shape()), Tensor(key.shape()), Tensor(value.shape())};
        kernels::attention_gradient(pool, {.shape = shape,
                                           .query = query.data(),
                                           .key = key.data(),
                                           .value = value.data(),
                                           .probabilities = probabilities.data(),
                                           .output_gradient = gradient.data(),
                                           .query_gradient = gradients[0].data(),
                                           .key_gradient = gradients[1].data(),
                                           .value_gradient = gradients[2].data()});
        return gradients;
      });
}

}  // namespace linnet::autograd
