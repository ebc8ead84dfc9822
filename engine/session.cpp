#include "linnet/session.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>

#include "engine/compile/plan.h"
#include "engine/large_block.h"
#include "linnet/error.h"

namespace linnet {
namespace {

/// Zeroed, so that its pages are there before the first run.
LargeBlock make_arena(std::size_t bytes) {
  LargeBlock arena(bytes);
  std::memset(arena.data(), 0, bytes);
  return arena;
}

std::shared_ptr<ThreadPool> make_pool(int threads) {
  if (threads < 0) throw Error("session: threads must not be negative, found " + std::to_string(threads));
  return std::make_shared<ThreadPool>(threads);
}

void check_size(const char* what, std::size_t found, const Shape& shape) {
  const auto expected = static_cast<std::size_t>(element_count(shape));
  if (found == expected) return;
  throw Error(std::string("session: ") + what + " has " + std::to_string(found) + " values, expected " +
              std::to_string(expected) + ", " + to_string(shape));
}

bool overlap(std::span<const float> a, std::span<const float> b) {
  const std::less<const float*> before;
  return before(a.data(), b.data() + b.size()) && before(b.data(), a.data() + a.size());
}

/// Holds a session for one run.
class Turn {
 public:
  explicit Turn(std::atomic<bool>& taken) : taken_(taken) {
    if (taken_.exchange(true)) {
      throw Error("session: it is running already, in another thread or around its observer; each needs its own");
    }
  }
  ~Turn() { taken_ = false; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::atomic<bool>& taken_;
};

}  // namespace

struct Session::State {
  std::shared_ptr<const Plan> plan;
  std::shared_ptr<ThreadPool> pool;
  LargeBlock arena;
  std::vector<const float*> step_inputs;  ///< of the step that runs, here so that run() need not allocate
  std::span<const float> input;
  std::vector<std::span<float>> outputs;
  std::atomic<bool> taken{false};

  const float* readable(const compiler::Place& place, std::size_t picture) const {
    return place.where == compiler::Place::Where::input ? input.data() + picture * place.stride
                                                        : writable(place, picture);
  }
  float* writable(const compiler::Place& place, std::size_t picture) const {
    const bool output = place.where == compiler::Place::Where::output;
    return (output ? outputs[place.offset].data() : arena.data() + place.offset) + picture * place.stride;
  }

  void begin(std::span<const float> new_input, std::span<const std::span<float>> new_outputs) {
    check_size("the input", new_input.size(), plan->input_shape());
    if (new_outputs.size() != outputs.size()) {
      throw Error("session: expected room for " + std::to_string(outputs.size()) + " outputs, found room for " +
                  std::to_string(new_outputs.size()));
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      check_size("the output", new_outputs[i].size(), plan->output_shape(i));
      if (overlap(new_input, new_outputs[i])) throw Error("session: input and output overlap");
      for (std::size_t j = 0; j < i; ++j) {
        if (overlap(new_outputs[j], new_outputs[i])) throw Error("session: two outputs overlap");
      }
      outputs[i] = new_outputs[i];
    }
    input = new_input;
  }

  /// Calls observe(step, its output) after each step.
  template <class Observe>
  void run(const Observe& observe) {
    const std::span<const compiler::PlannedStep> steps = plan->implementation().steps;
    const std::size_t singles = plan->implementation().single_steps;
    const auto pictures = static_cast<std::size_t>(plan->input_shape().front());
    for (std::size_t picture = 0; singles > 0 && picture < pictures; ++picture) {
      for (const compiler::PlannedStep& step : steps.first(singles)) observe(step, run(step, picture));
    }
    for (const compiler::PlannedStep& step : steps.subspan(singles)) observe(step, run(step, 0));
  }

  const float* run(const compiler::PlannedStep& step, std::size_t picture) {
    for (std::size_t i = 0; i < step.inputs.size(); ++i) step_inputs[i] = readable(step.inputs[i], picture);
    float* output = writable(step.output, picture);
    step.step->run(*pool, {.inputs = std::span(step_inputs).first(step.inputs.size()),
                           .output = output,
                           .scratch = step.scratch_floats > 0 ? writable(step.scratch, picture) : nullptr});
    return output;
  }
};

Session::Session(std::shared_ptr<const Plan> plan, int threads) : Session(std::move(plan), make_pool(threads)) {}

Session::Session(std::shared_ptr<const Plan> plan, std::shared_ptr<ThreadPool> pool)
    : state_(std::make_unique<State>()) {
  if (plan == nullptr || pool == nullptr) throw Error("session: no plan or no pool was given");
  if (pool->threads() > plan->implementation().threads) {
    throw Error("session: the plan was compiled for at most " + std::to_string(plan->implementation().threads) +
                " threads, found a pool of " + std::to_string(pool->threads()));
  }
  std::size_t most_inputs = 0;
  for (const compiler::PlannedStep& step : plan->implementation().steps) {
    most_inputs = std::max(most_inputs, step.inputs.size());
  }
  state_->step_inputs.resize(most_inputs);
  state_->outputs.resize(plan->output_count());
  state_->arena = make_arena(plan->arena_bytes());
  state_->plan = std::move(plan);
  state_->pool = std::move(pool);
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

const Plan& Session::plan() const { return *state_->plan; }

void Session::run(std::span<const float> input, std::span<float> output) {
  run(input, std::span<const std::span<float>>(&output, 1));
}

void Session::run(std::span<const float> input, std::span<float> output, const Observer& observer) {
  run(input, std::span<const std::span<float>>(&output, 1), observer);
}

void Session::run(std::span<const float> input, std::span<const std::span<float>> outputs) {
  const Turn turn(state_->taken);
  state_->begin(input, outputs);
  state_->run([](const compiler::PlannedStep&, const float*) {});
}

void Session::run(std::span<const float> input, std::span<const std::span<float>> outputs, const Observer& observer) {
  const Turn turn(state_->taken);
  state_->begin(input, outputs);
  state_->run([&](const compiler::PlannedStep& step, const float* values) { observer(step.name, step.shape, values); });
}

}  // namespace linnet
