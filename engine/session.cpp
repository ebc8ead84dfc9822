#include "linnet/session.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <new>

#include "engine/compile/plan.h"
#include "linnet/error.h"

namespace linnet {
namespace {

struct AlignedDelete {
  void operator()(float* memory) const { ::operator delete (memory, std::align_val_t{64}); }
};

/// Zeroed, so that its pages are there before the first run.
std::unique_ptr<float, AlignedDelete> make_arena(std::size_t bytes) {
  std::unique_ptr<float, AlignedDelete> arena(static_cast<float*>(::operator new (bytes, std::align_val_t{64})));
  std::memset(arena.get(), 0, bytes);
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
  std::unique_ptr<float, AlignedDelete> arena;
  std::vector<const float*> step_inputs;  ///< of the step that runs, here so that run() need not allocate
  std::span<const float> input;
  std::vector<std::span<float>> outputs;
  std::atomic<bool> taken{false};

  const float* readable(const compiler::Place& place) const {
    return place.where == compiler::Place::Where::input ? input.data() : writable(place);
  }
  float* writable(const compiler::Place& place) const {
    return place.where == compiler::Place::Where::output ? outputs[place.offset].data() : arena.get() + place.offset;
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

  void run(const compiler::PlannedStep& step) {
    for (std::size_t i = 0; i < step.inputs.size(); ++i) step_inputs[i] = readable(step.inputs[i]);
    step.step->run(*pool, {.inputs = std::span(step_inputs).first(step.inputs.size()),
                           .output = writable(step.output),
                           .scratch = step.scratch_floats > 0 ? writable(step.scratch) : nullptr});
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
  for (const compiler::PlannedStep& step : state_->plan->implementation().steps) state_->run(step);
}

void Session::run(std::span<const float> input, std::span<const std::span<float>> outputs, const Observer& observer) {
  const Turn turn(state_->taken);
  state_->begin(input, outputs);
  for (const compiler::PlannedStep& step : state_->plan->implementation().steps) {
    state_->run(step);
    observer(step.name, step.shape, state_->writable(step.output));
  }
}

}  // namespace linnet
