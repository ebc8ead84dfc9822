// Running a plan.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "linnet/compile.h"
#include "linnet/thread_pool.h"

namespace linnet {

/// A plan, an arena and a pool. run() does not allocate. One session serves one thread at a time; make one session per
/// thread for more, they share the plan. Sessions of any models that share a pool may run at once in several threads:
/// their steps take turns. An error leaves a session as usable as it was; what the outputs then hold is not defined.
///
/// Special values. Pictures of a batch do not touch each other.
/// - NaN stays NaN: every activation, pool, sum and product that reads one gives one (ReLU and max pooling too), so
///   a NaN in the input comes out of every output that depends on it.
/// - Infinities follow IEEE 754: relu6(inf) = 6, inf - inf and 0 * inf are NaN (hard_swish(-inf), too). Dense 3x3
///   convolutions that run as Winograd tiles are the exception: where a tile of 6x6 inputs holds an infinity or NaN, or
///   values near the largest float, any of its 4x4 outputs may be NaN, also one that a direct sum would give as a
///   number. Numbers never come out where a direct sum gives none.
/// - Denormal numbers count as zero, in inputs, weights and results, on every thread for as long as run() needs; the
///   caller's floating-point mode is what it was afterwards. So they cost no time. Steps that only move values
///   (concatenation, slices, shuffles, outputs that are the input) may hand them on.
class Session {
 public:
  /// Makes a pool of `threads` threads (0: as ThreadPool). Throws linnet::Error if the plan was compiled for fewer.
  explicit Session(std::shared_ptr<const Plan> plan, int threads = 1);
  /// Shares a pool with other sessions, in this thread or others.
  Session(std::shared_ptr<const Plan> plan, std::shared_ptr<ThreadPool> pool);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  const Plan& plan() const;

  /// input: batch * height * width * channels floats, NHWC, normalised; output: the values of plan().output_shape().
  /// Throws linnet::Error if a size is wrong, if the two overlap, if the plan has several outputs, or if the session is
  /// running already.
  void run(std::span<const float> input, std::span<float> output);

  /// The same for any number of outputs, each of the values of plan().output_shape(i).
  void run(std::span<const float> input, std::span<const std::span<float>> outputs);

  /// As run(), telling `observer` after each step the name of its node, its output shape and its values, for debugging.
  /// Nodes that the compiler merged into others are not seen. The shape is [batch, ...], or [1, ...] for steps that run
  /// on one picture of a batch after the other (PlanStep::times), which are seen once for each. What the observer
  /// throws ends the run and comes out.
  using Observer = std::function<void(const std::string& name, const Shape& shape, const float* values)>;
  void run(std::span<const float> input, std::span<float> output, const Observer& observer);
  void run(std::span<const float> input, std::span<const std::span<float>> outputs, const Observer& observer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace linnet
