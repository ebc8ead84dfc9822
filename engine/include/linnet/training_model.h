// A network that can be trained: runs a Graph node by node through the autograd operations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "linnet/autograd.h"
#include "linnet/model.h"

namespace linnet {

class TrainingModel {
 public:
  /// Takes its own copy of the weights. Throws linnet::Error if they do not fit the graph.
  TrainingModel(Graph graph, Weights weights);

  const Graph& graph() const { return graph_; }

  struct LearnableParameter {
    std::string name;
    ParameterRole role;
    autograd::Variable variable;
  };
  /// In the order of parameters(graph), counters and running statistics left out.
  std::vector<LearnableParameter>& parameters() { return parameters_; }

  /// Leaves the tensor of this name as it is from now on: a parameter requires no gradient any more, and a batch norm
  /// whose running statistic it is goes by its running statistics in training too. Throws linnet::Error for other
  /// names.
  void keep(const std::string& name);

  enum class Mode {
    evaluation,  ///< running statistics, no dropout
    training,    ///< batch statistics (and running ones updated), dropout and drop path from `seed`
  };

  /// input [batch, height, width, channels] -> the output node's value, [batch, features] or [batch, h, w, c].
  /// In training mode `seed` decides every random choice, so that a step can be repeated bit for bit. In evaluation
  /// mode nothing is recorded. A batch norm and the activation behind it run as one operation.
  /// Throws linnet::Error if the graph has several outputs.
  autograd::Variable forward(const Tensor& input, Mode mode, std::uint64_t seed, ThreadPool& pool);

  /// The same for any number of outputs, in the graph's order.
  std::vector<autograd::Variable> forward_all(const Tensor& input, Mode mode, std::uint64_t seed, ThreadPool& pool);

  /// All parameters and statistics under their state-dict names. The tensors share storage with the model.
  Weights weights() const;

  /// Copies values in. Throws linnet::Error if they do not fit.
  void set_weights(const Weights& weights);

 private:
  struct Run;

  Graph graph_;
  std::vector<LearnableParameter> parameters_;
  Weights buffers_;  ///< running statistics and counters

  /// What forward() does at a node, beside the node's own op.
  struct Step {
    std::size_t first_parameter = 0;                 ///< of this node, in parameters_
    Activation fused_activation = Activation::none;  ///< of the node that follows
    bool is_fused = false;                           ///< into the node before it: nothing to do
    int norm = -1;                                   ///< the batch norm that in training is one with this convolution
    bool has_convolution = false;                    ///< this is such a batch norm
    bool has_one_reader = false;
    bool fixed_statistics = false;  ///< of this batch norm
    std::vector<int> last_uses;     ///< nodes whose values nobody needs after this one
  };
  std::vector<Step> steps_;
};

}  // namespace linnet
