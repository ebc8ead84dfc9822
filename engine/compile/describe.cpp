#include "engine/compile/describe.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "engine/compile/plan.h"

namespace linnet {
namespace compiler {
namespace {

std::string window(Index kernel, Index stride, Index dilation = 1) {
  std::string text = " " + std::to_string(kernel) + "x" + std::to_string(kernel);
  if (stride > 1) text += "/" + std::to_string(stride);
  if (dilation > 1) text += " dilated by " + std::to_string(dilation);
  return text;
}

std::string plus(Activation activation) {
  return activation == Activation::none ? "" : " +" + std::string(to_string(activation));
}

std::string describe(const op::Conv2d& op) {
  std::string text = "conv" + window(op.kernel, op.stride, op.dilation);
  if (op.groups > 1) {
    text += op.groups == op.out_channels ? " depthwise" : " in " + std::to_string(op.groups) + " groups";
  }
  if (op.bias) text += " +bias";
  if (op.residual) text += " +residual";
  return text + plus(op.activation);
}

}  // namespace

std::string describe(const Op& op) {
  return std::visit(
      [&]<class Candidate>(const Candidate& candidate) -> std::string {
        if constexpr (std::is_same_v<Candidate, op::Conv2d>) {
          return describe(candidate);
        } else if constexpr (std::is_same_v<Candidate, op::Linear>) {
          return "linear" + std::string(candidate.bias ? " +bias" : "") + plus(candidate.activation);
        } else if constexpr (std::is_same_v<Candidate, op::Add>) {
          return "add" + plus(candidate.activation);
        } else if constexpr (std::is_same_v<Candidate, op::Activate>) {
          return std::string(to_string(candidate.activation));
        } else if constexpr (std::is_same_v<Candidate, op::MaxPool> || std::is_same_v<Candidate, op::AveragePool>) {
          return op_name(op) + window(candidate.kernel, candidate.stride);
        } else if constexpr (std::is_same_v<Candidate, op::SliceChannels>) {
          return "channels " + std::to_string(candidate.begin) + " to " + std::to_string(candidate.end);
        } else {
          return op_name(op);
        }
      },
      op);
}

}  // namespace compiler

namespace {

std::string describe(const compiler::Place& place) {
  switch (place.where) {
    case compiler::Place::Where::input:
      return "input";
    case compiler::Place::Where::output:
      return place.offset == 0 ? "output" : "output " + std::to_string(place.offset);
    case compiler::Place::Where::arena:
      break;
  }
  return "arena+" + std::to_string(place.offset * sizeof(float));
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

PlanStep describe(const compiler::PlannedStep& planned) {
  PlanStep step;
  step.name = planned.name;
  step.kernel = planned.step->kernel();
  step.isa = planned.step->isa();
  step.nodes = planned.nodes;
  step.ops = planned.ops;
  step.tiling = planned.step->tiling();
  step.shape = planned.shape;
  for (const compiler::Place& input : planned.inputs) step.inputs.push_back(describe(input));
  step.output = describe(planned.output);
  if (planned.scratch_floats > 0) step.scratch = describe(planned.scratch);
  step.output_bytes = static_cast<std::size_t>(element_count(planned.shape)) * sizeof(float);
  step.scratch_bytes = planned.scratch_floats * sizeof(float);
  step.weight_bytes = planned.weight_floats * sizeof(float);
  return step;
}

std::string variant(const PlanStep& step) { return step.kernel + " " + std::string(to_string(step.isa)); }

struct Widths {
  std::size_t name = 0, variant = 0, shape = 0;
};

void print(std::ostream& text, const PlanStep& step, const Widths& widths) {
  const auto column = [&](const std::string& word, std::size_t width) {
    text << std::left << std::setw(static_cast<int>(width)) << word << "  ";
  };
  column(step.name, widths.name);
  column(variant(step), widths.variant);
  column(to_string(step.shape), widths.shape);
  text << joined(step.inputs, " ") << " -> " << step.output << " (" << step.output_bytes << " bytes)";
  if (step.scratch_bytes > 0) text << ", scratch " << step.scratch << " (" << step.scratch_bytes << " bytes)";
  text << "\n    " << joined(step.ops, " | ") << '\n';
  std::vector<std::string> details;
  if (step.times > 1) details.push_back(std::to_string(step.times) + " times, picture by picture");
  if (!step.tiling.empty()) details.push_back(step.tiling);
  if (step.weight_bytes > 0) details.push_back("weights " + std::to_string(step.weight_bytes) + " bytes");
  if (!details.empty()) text << "    " << joined(details, "; ") << '\n';
}

/// "..##...": the steps of a plan from left to right, some per letter if they are many.
std::string life(const PlanBuffer& buffer, int steps) {
  constexpr int most = 64;
  const int letters = std::min(steps, most);
  std::string text(static_cast<std::size_t>(letters), '.');
  const auto place = [&](int step) { return static_cast<std::ptrdiff_t>(step) * letters / steps; };
  std::fill(text.begin() + place(buffer.first_step), text.begin() + place(buffer.last_step) + 1, '#');
  return text;
}

void print(std::ostream& text, const std::vector<PlanBuffer>& buffers, int steps) {
  text << "arena, bytes from and to, and in which steps:\n";
  for (const PlanBuffer& buffer : buffers) {
    text << std::right << std::setw(10) << buffer.offset << ' ' << std::setw(10) << buffer.offset + buffer.bytes << "  "
         << life(buffer, steps) << "  " << buffer.name << '\n';
  }
}

}  // namespace

std::vector<PlanStep> Plan::steps() const {
  std::vector<PlanStep> steps;
  for (const compiler::PlannedStep& step : implementation_->steps) steps.push_back(describe(step));
  for (std::size_t i = 0; i < implementation_->single_steps; ++i) steps[i].times = input_shape().front();
  return steps;
}

std::vector<PlanBuffer> Plan::buffers() const { return implementation_->buffers; }

std::string Plan::to_string() const {
  const Implementation& plan = *implementation_;
  const std::vector<PlanStep> all = steps();
  std::ostringstream text;
  text << plan.name << ": " << all.size() << " steps, input " << linnet::to_string(plan.input_shape) << ", output";
  for (const Shape& shape : plan.output_shapes) text << ' ' << linnet::to_string(shape);
  text << ", arena " << arena_bytes() << " bytes (at least " << peak_bytes() << "), weights " << weight_bytes()
       << " bytes, up to " << plan.threads << " threads; tensors are NHWC\n";
  Widths widths;
  for (const PlanStep& step : all) {
    widths.name = std::max(widths.name, step.name.size());
    widths.variant = std::max(widths.variant, variant(step).size());
    widths.shape = std::max(widths.shape, linnet::to_string(step.shape).size());
  }
  for (const PlanStep& step : all) print(text, step, widths);
  print(text, plan.buffers, static_cast<int>(all.size()));
  return text.str();
}

}  // namespace linnet
