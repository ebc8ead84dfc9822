#include "linnet/training_model.h"

#include <algorithm>

#include "linnet/autograd_ops.h"
#include "linnet/error.h"

namespace linnet {

using autograd::Variable;

TrainingModel::TrainingModel(Graph graph, Weights weights) : graph_(std::move(graph)), steps_(graph_.nodes.size()) {
  check_weights(graph_, weights);
  for (const Parameter& parameter : linnet::parameters(graph_)) {
    const Tensor& value = weights.at(parameter.name);
    if (is_learnable(parameter.role))
      parameters_.push_back({parameter.name, parameter.role, Variable(value.clone(), true)});
    else
      buffers_[parameter.name] = value.clone();
  }

  std::size_t parameter = 0;
  std::vector<int> uses(steps_.size()), last_user(steps_.size(), -1);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i].first_parameter = parameter;
    for (const Parameter& owned : linnet::parameters(graph_, static_cast<int>(i)))
      parameter += is_learnable(owned.role);
    for (const int input : graph_.nodes[i].inputs) {
      ++uses[static_cast<std::size_t>(input)];
      last_user[static_cast<std::size_t>(input)] = static_cast<int>(i);
    }
  }
  for (const int output : graph_.output_nodes()) {
    ++uses[static_cast<std::size_t>(output)];
    last_user[static_cast<std::size_t>(output)] = -1;  // kept to the end
  }
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (last_user[i] >= 0) steps_[static_cast<std::size_t>(last_user[i])].last_uses.push_back(static_cast<int>(i));
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const auto* activate = std::get_if<op::Activate>(&graph_.nodes[i].op);
    if (!activate) continue;
    const auto input = static_cast<std::size_t>(graph_.nodes[i].inputs[0]);
    if (!std::holds_alternative<op::BatchNorm>(graph_.nodes[input].op) || uses[input] != 1) continue;
    steps_[input].fused_activation = activate->activation;
    steps_[i].is_fused = true;
  }
}

/// One forward pass: what the ops see.
struct TrainingModel::Run {
  TrainingModel& model;
  Mode mode;
  std::uint64_t seed;
  ThreadPool& pool;
  std::vector<Variable> values;
  std::size_t node_index = 0;

  bool training() const { return mode == Mode::training; }
  const Node& node() const { return model.graph_.nodes[node_index]; }
  const Step& step() const { return model.steps_[node_index]; }
  const Variable& input(std::size_t i) const { return values[static_cast<std::size_t>(node().inputs[i])]; }
  Tensor& buffer(const char* suffix) const { return model.buffers_.at(node().name + suffix); }

  /// The i-th learnable parameter of this node; in evaluation mode off the tape.
  Variable parameter(std::size_t i) const {
    const Variable& variable = model.parameters_[step().first_parameter + i].variable;
    return training() ? variable : Variable(variable.value());
  }

  Variable not_for_training(bool compiled, Variable value) const {
    if (compiled) throw Error("training model: node '" + node().name + "' was fused by the compiler");
    return value;
  }

  Variable operator()(const op::Input&) { throw Error("training model: node '" + node().name + "' is a second input"); }
  Variable operator()(const op::Conv2d& op) {
    return autograd::conv2d(input(0), parameter(0), op.bias ? parameter(1) : Variable(), op, pool);
  }
  Variable operator()(const op::BatchNorm& op) {
    return autograd::batch_norm(input(0), parameter(0), parameter(1), buffer(".running_mean"), buffer(".running_var"),
                                buffer(".num_batches_tracked"), op, step().fused_activation, training(), pool);
  }
  Variable operator()(const op::Activate& op) {
    return step().is_fused ? input(0) : autograd::activate(input(0), op.activation, pool);
  }
  Variable operator()(const op::Add& op) {
    return not_for_training(op.activation != Activation::none, autograd::add(input(0), input(1), pool));
  }
  Variable operator()(const op::ScaleChannels&) { return autograd::scale_channels(input(0), input(1), pool); }
  Variable operator()(const op::GlobalAveragePool&) { return autograd::global_average_pool(input(0), pool); }
  Variable operator()(const op::MaxPool& op) { return autograd::max_pool(input(0), op, pool); }
  Variable operator()(const op::AveragePool& op) { return autograd::average_pool(input(0), op, pool); }
  Variable operator()(const op::Flatten&) { return autograd::flatten(input(0)); }
  Variable operator()(const op::Linear& op) {
    return not_for_training(op.activation != Activation::none,
                            autograd::linear(input(0), parameter(0), op.bias ? parameter(1) : Variable(), pool));
  }
  Variable operator()(const op::Dropout& op) {
    return training() ? autograd::dropout(input(0), op.rate, seed, node_index, pool) : input(0);
  }
  Variable operator()(const op::DropPath& op) {
    return training() ? autograd::drop_path(input(0), op.rate, seed, node_index, pool) : input(0);
  }
  Variable operator()(const op::ChannelShuffle& op) { return autograd::channel_shuffle(input(0), op.groups, pool); }
  Variable operator()(const op::Concat&) {
    std::vector<Variable> inputs;
    for (std::size_t i = 0; i < node().inputs.size(); ++i) inputs.push_back(input(i));
    return autograd::concat(inputs, pool);
  }
  Variable operator()(const op::SliceChannels& op) {
    return autograd::slice_channels(input(0), op.begin, op.end, pool);
  }
  Variable operator()(const op::ZeroPad& op) { return autograd::zero_pad(input(0), op, pool); }
  Variable operator()(const op::BlurPool&) { return autograd::blur_pool(input(0), pool); }
  Variable operator()(const op::LayerScale&) { return autograd::layer_scale(input(0), parameter(0), pool); }
  Variable operator()(const op::MultiQueryAttention& op) {
    return autograd::multi_query_attention(input(0), input(1), input(2), op.heads, pool);
  }
  Variable operator()(const op::Softmax&) { return autograd::softmax(input(0), pool); }
};

Variable TrainingModel::forward(const Tensor& input, Mode mode, std::uint64_t seed, ThreadPool& pool) {
  const std::size_t outputs = graph_.output_nodes().size();
  if (outputs != 1)
    throw Error("training model: forward expects a graph with one output, found " + std::to_string(outputs) +
                "; forward_all gives them all");
  return forward_all(input, mode, seed, pool).front();
}

std::vector<Variable> TrainingModel::forward_all(const Tensor& input, Mode mode, std::uint64_t seed, ThreadPool& pool) {
  const Shape& sample = graph_.input().shape;
  if (input.shape().size() != sample.size() + 1 || !std::equal(sample.begin(), sample.end(), input.shape().begin() + 1))
    throw Error("training model: expected input of shape [batch] + " + to_string(sample) + ", found " +
                to_string(input.shape()));
  Run run{*this, mode, seed, pool, std::vector<Variable>(graph_.nodes.size())};
  run.values[0] = Variable(input);
  for (run.node_index = 1; run.node_index < graph_.nodes.size(); ++run.node_index) {
    run.values[run.node_index] = std::visit(run, run.node().op);
    for (const int unused : run.step().last_uses) run.values[static_cast<std::size_t>(unused)] = {};
  }
  std::vector<Variable> outputs;
  for (const int output : graph_.output_nodes()) outputs.push_back(run.values[static_cast<std::size_t>(output)]);
  return outputs;
}

Weights TrainingModel::weights() const {
  Weights weights = buffers_;
  for (const LearnableParameter& parameter : parameters_) weights[parameter.name] = parameter.variable.value();
  return weights;
}

void TrainingModel::set_weights(const Weights& weights) {
  Weights checked = weights;
  check_weights(graph_, checked);
  for (auto& [name, tensor] : this->weights()) {
    const Tensor& source = checked.at(name);
    std::copy_n(source.data(), source.size(), tensor.data());
  }
}

}  // namespace linnet
