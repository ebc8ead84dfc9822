// Running a plan.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "linnet/compile.h"
#include "linnet/thread_pool.h"

namespace linnet {

/// A plan, an arena and a pool. run() does not allocate. One session serves one thread at a time; make one session per
/// thread for more, they share the plan.
class Session {
 public:
  /// Makes a pool of `threads` threads (0: as ThreadPool). Throws linnet::Error if the plan was compiled for fewer.
  explicit Session(std::shared_ptr<const Plan> plan, int threads = 1);
  /// Shares a pool with other sessions.
  Session(std::shared_ptr<const Plan> plan, std::shared_ptr<ThreadPool> pool);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  const Plan& plan() const;

  /// input: batch * height * width * channels floats, NHWC, normalised; output: the values of plan().output_shape().
  /// Throws linnet::Error if a size is wrong, if the two overlap, or if the plan has several outputs.
  void run(std::span<const float> input, std::span<float> output);

  /// The same for any number of outputs, each of the values of plan().output_shape(i).
  void run(std::span<const float> input, std::span<const std::span<float>> outputs);

  /// As run(), telling `observer` after each step the name of its node, its output shape, [batch, ...], and its values,
  /// for debugging. Nodes that the compiler merged into others are not seen.
  using Observer = std::function<void(const std::string& name, const Shape& shape, const float* values)>;
  void run(std::span<const float> input, std::span<float> output, const Observer& observer);
  void run(std::span<const float> input, std::span<const std::span<float>> outputs, const Observer& observer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace linnet
