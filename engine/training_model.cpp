#include "linnet/training_model.h"

#include <algorithm>

#include "linnet/autograd_ops.h"
#include "linnet/error.h"

namespace linnet {

using autograd::NormalisedMap;
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
    const Op& before = graph_.nodes[input].op;
    const bool takes_it = std::holds_alternative<op::BatchNorm>(before) ||
                          (std::holds_alternative<op::Conv2d>(before) && autograd::conv2d_takes(activate->activation));
    if (!takes_it || uses[input] != 1) continue;
    steps_[input].fused_activation = activate->activation;
    steps_[i].is_fused = true;
  }
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i].has_one_reader = uses[i] == 1 && last_user[i] >= 0;
    if (!std::holds_alternative<op::BatchNorm>(graph_.nodes[i].op)) continue;
    const auto input = static_cast<std::size_t>(graph_.nodes[i].inputs[0]);
    const auto* conv = std::get_if<op::Conv2d>(&graph_.nodes[input].op);
    if (conv == nullptr || conv->bias || uses[input] != 1 || last_user[input] < 0) continue;
    steps_[input].norm = static_cast<int>(i);
    steps_[i].has_convolution = true;
  }
}

/// One forward pass: what the ops see.
struct TrainingModel::Run {
  TrainingModel& model;
  Mode mode;
  std::uint64_t seed;
  ThreadPool& pool;
  std::vector<NormalisedMap> values;
  std::size_t node_index = 0;

  bool training() const { return mode == Mode::training; }
  const Node& node() const { return model.graph_.nodes[node_index]; }
  const Step& step() const { return model.steps_[node_index]; }
  NormalisedMap& map(std::size_t i) { return values[static_cast<std::size_t>(node().inputs[i])]; }
  Variable input(std::size_t i) { return map(i).value(pool); }
  Tensor& buffer(const char* suffix) const { return model.buffers_.at(node().name + suffix); }

  /// The i-th learnable parameter of this node; in evaluation mode off the tape.
  Variable parameter(std::size_t i) const {
    const Variable& variable = model.parameters_[step().first_parameter + i].variable;
    return training() ? variable : Variable(variable.value());
  }

  /// Whether this batch norm is one operation with the convolution before it.
  bool joins_convolution(const Step& norm) const {
    return training() && norm.has_convolution && !norm.fixed_statistics;
  }

  /// This node, a convolution, and the batch norm behind it.
  NormalisedMap conv_norm(const op::Conv2d& conv) {
    const auto norm = static_cast<std::size_t>(step().norm);
    const Node& norm_node = model.graph_.nodes[norm];
    const Step& norm_step = model.steps_[norm];
    const auto owned = [&](std::size_t i) { return model.parameters_[norm_step.first_parameter + i].variable; };
    const auto statistic = [&](const char* suffix) -> Tensor& { return model.buffers_.at(norm_node.name + suffix); };
    const auto x = static_cast<std::size_t>(node().inputs[0]);
    return autograd::conv_norm(model.steps_[x].has_one_reader ? values[x] : NormalisedMap(input(0)), parameter(0),
                               owned(0), owned(1), statistic(".running_mean"), statistic(".running_var"),
                               statistic(".num_batches_tracked"), conv, std::get<op::BatchNorm>(norm_node.op),
                               norm_step.fused_activation, pool);
  }

  Variable not_for_training(bool compiled, Variable value) const {
    if (compiled) throw Error("training model: node '" + node().name + "' was fused by the compiler");
    return value;
  }

  NormalisedMap operator()(const op::Input&) {
    throw Error("training model: node '" + node().name + "' is a second input");
  }
  NormalisedMap operator()(const op::Conv2d& op) {
    if (step().norm >= 0 && joins_convolution(model.steps_[static_cast<std::size_t>(step().norm)]))
      return conv_norm(op);
    op::Conv2d activated = op;
    if (step().fused_activation != Activation::none) activated.activation = step().fused_activation;
    return autograd::conv2d(input(0), parameter(0), op.bias ? parameter(1) : Variable(), activated, pool);
  }
  NormalisedMap operator()(const op::BatchNorm& op) {
    if (joins_convolution(step())) return map(0);
    return autograd::batch_norm(input(0), parameter(0), parameter(1), buffer(".running_mean"), buffer(".running_var"),
                                buffer(".num_batches_tracked"), op, step().fused_activation,
                                training() && !step().fixed_statistics, pool);
  }
  NormalisedMap operator()(const op::Activate& op) {
    return step().is_fused ? map(0) : NormalisedMap(autograd::activate(input(0), op.activation, pool));
  }
  NormalisedMap operator()(const op::Add& op) {
    return not_for_training(op.activation != Activation::none, autograd::add(input(0), input(1), pool));
  }
  NormalisedMap operator()(const op::ScaleChannels&) { return autograd::scale_channels(input(0), input(1), pool); }
  NormalisedMap operator()(const op::GlobalAveragePool&) { return autograd::global_average_pool(input(0), pool); }
  NormalisedMap operator()(const op::MaxPool& op) { return autograd::max_pool(input(0), op, pool); }
  NormalisedMap operator()(const op::AveragePool& op) { return autograd::average_pool(input(0), op, pool); }
  NormalisedMap operator()(const op::Flatten&) { return autograd::flatten(input(0)); }
  NormalisedMap operator()(const op::Linear& op) {
    return not_for_training(op.activation != Activation::none,
                            autograd::linear(input(0), parameter(0), op.bias ? parameter(1) : Variable(), pool));
  }
  NormalisedMap operator()(const op::Dropout& op) {
    return training() ? autograd::dropout(input(0), op.rate, seed, node_index, pool) : input(0);
  }
  NormalisedMap operator()(const op::DropPath& op) {
    return training() ? autograd::drop_path(input(0), op.rate, seed, node_index, pool) : input(0);
  }
  NormalisedMap operator()(const op::ChannelShuffle& op) {
    return autograd::channel_shuffle(input(0), op.groups, pool);
  }
  NormalisedMap operator()(const op::Concat&) {
    std::vector<Variable> inputs;
    for (std::size_t i = 0; i < node().inputs.size(); ++i) inputs.push_back(input(i));
    return autograd::concat(inputs, pool);
  }
  NormalisedMap operator()(const op::SliceChannels& op) {
    return autograd::slice_channels(input(0), op.begin, op.end, pool);
  }
  NormalisedMap operator()(const op::ZeroPad& op) { return autograd::zero_pad(input(0), op, pool); }
  NormalisedMap operator()(const op::BlurPool&) { return autograd::blur_pool(input(0), pool); }
  NormalisedMap operator()(const op::LayerScale&) { return autograd::layer_scale(input(0), parameter(0), pool); }
  NormalisedMap operator()(const op::MultiQueryAttention& op) {
    return autograd::multi_query_attention(input(0), input(1), input(2), op.heads, pool);
  }
  NormalisedMap operator()(const op::Softmax&) { return autograd::softmax(input(0), pool); }
};

void TrainingModel::keep(const std::string& name) {
  for (LearnableParameter& parameter : parameters_) {
    if (parameter.name != name) continue;
    parameter.variable = Variable(parameter.variable.value());
    return;
  }
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    for (const Parameter& owned : linnet::parameters(graph_, static_cast<int>(i))) {
      if (owned.name != name) continue;
      steps_[i].fixed_statistics = true;
      return;
    }
  }
  throw Error("training model: " + graph_.name + " has no tensor '" + name + "' to keep");
}

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
  Run run{*this, mode, seed, pool, std::vector<NormalisedMap>(graph_.nodes.size())};
  run.values[0] = Variable(input);
  for (run.node_index = 1; run.node_index < graph_.nodes.size(); ++run.node_index) {
    run.values[run.node_index] = std::visit(run, run.node().op);
    for (const int unused : run.step().last_uses) run.values[static_cast<std::size_t>(unused)] = {};
  }
  std::vector<Variable> outputs;
  for (const int output : graph_.output_nodes())
    outputs.push_back(run.values[static_cast<std::size_t>(output)].value(pool));
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
