#include "linnet/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/dispatch/flush_to_zero.h"
#include "linnet/cpu.h"

namespace linnet {
namespace {

inline void spin_pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__) || defined(__arm__)
  asm volatile("yield");
#endif
}

/// Polls `ready` until it holds or the time is over; returns whether it holds.
template <class Ready>
bool spin(std::chrono::microseconds limit, Ready ready) {
  if (ready()) return true;
  if (limit.count() == 0) return false;
  const auto end = std::chrono::steady_clock::now() + limit;
  do {
    for (int i = 0; i < 16; ++i) {
      spin_pause();
      if (ready()) return true;
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

/// The regions that this thread is inside of, innermost first: a nested region of the same pool runs inline.
struct Frame {
  const void* pool;
  int worker;
  const Frame* outer;
};
thread_local const Frame* innermost = nullptr;

class FrameScope {
 public:
  FrameScope(const void* pool, int worker) : frame_{pool, worker, innermost} { innermost = &frame_; }
  ~FrameScope() { innermost = frame_.outer; }
  FrameScope(const FrameScope&) = delete;
  FrameScope& operator=(const FrameScope&) = delete;

 private:
  Frame frame_;
};

}  // namespace

struct ThreadPool::State {
  // Chunks of the current region that nobody has taken yet. A thread first takes a chunk, and then reads what it
  // belongs to: a region cannot end while somebody has one of its chunks, so whoever wakes up late finds nothing, or
  // joins the region that is on.
  alignas(64) std::atomic<std::uint32_t> untaken{0};
  alignas(64) std::atomic<std::uint32_t> unfinished{0};  // chunks of the region that are not done

  // The region. Written before its chunks are on offer, read only by holders of one of them.
  Function function = nullptr;
  void* context = nullptr;
  std::uint32_t chunks = 0;
  std::exception_ptr error;
  std::atomic<bool> failed{false};

  alignas(64) std::atomic<bool> stop{false};
  std::atomic<int> parked{0};
  std::atomic<bool> caller_parked{false};
  std::mutex parking;
  std::condition_variable wake_worker;
  std::condition_variable wake_caller;

  std::mutex one_region;  // callers take turns
  std::chrono::microseconds spin_limit{0};
  std::vector<std::thread> workers;

  ~State() {
    {
      const std::lock_guard lock(parking);
      stop = true;
    }
    wake_worker.notify_all();
    for (std::thread& worker : workers) worker.join();
  }

  bool has_work() const { return untaken.load() != 0; }

  /// Takes and runs chunks until none is left.
  void work_on(int worker) {
    std::uint32_t left = untaken.load(std::memory_order_acquire);
    while (left != 0) {
      if (!untaken.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
        continue;
      }
      try {
        function(context, static_cast<Index>(chunks - left), worker);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
      // Sequentially consistent, as is the caller's side: either it sees the end or this thread sees it parked.
      if (unfinished.fetch_sub(1) == 1 && caller_parked.load()) {
        { const std::lock_guard lock(parking); }
        wake_caller.notify_one();
      }
      left = untaken.load(std::memory_order_acquire);
    }
  }

  void worker_loop(int worker) {
    const kernels::FlushToZero flush_to_zero;
    const FrameScope frame(this, worker);
    while (true) {
      const bool ready = spin(spin_limit, [&] { return has_work() || stop.load(std::memory_order_relaxed); });
      if (!ready) {
        std::unique_lock lock(parking);
        parked.fetch_add(1);
        wake_worker.wait(lock, [&] { return has_work() || stop.load(); });
        parked.fetch_sub(1);
      }
      if (stop.load()) return;
      work_on(worker);
    }
  }

  /// All chunks on this thread; like a parallel region it goes on after an exception.
  static void run_inline(Index count, Function task, void* task_context, int worker) {
    std::exception_ptr first;
    for (Index chunk = 0; chunk < count; ++chunk) {
      try {
        task(task_context, chunk, worker);
      } catch (...) {
        if (!first) first = std::current_exception();
      }
    }
    if (first) std::rethrow_exception(first);
  }

  void run_region(Index count, Function task, void* task_context) {
    function = task;
    context = task_context;
    chunks = static_cast<std::uint32_t>(count);
    unfinished.store(chunks, std::memory_order_relaxed);
    untaken.store(chunks);
    // Sequentially consistent, as is a worker's way to bed: either it sees the work or this thread sees it parked.
    if (const int sleepers = parked.load(); sleepers > 0) {
      { const std::lock_guard lock(parking); }
      for (Index i = 0; i < sleepers && i < count - 1; ++i) wake_worker.notify_one();
    }

    work_on(0);

    const auto done = [&] { return unfinished.load() == 0; };
    if (!spin(spin_limit, done)) {
      std::unique_lock lock(parking);
      caller_parked.store(true);
      wake_caller.wait(lock, done);
      caller_parked.store(false);
    }
    if (failed.load(std::memory_order_relaxed)) {
      failed.store(false, std::memory_order_relaxed);
      std::rethrow_exception(std::exchange(error, nullptr));
    }
  }
};

ThreadPool::ThreadPool(int threads)
    : threads_(threads == 0 ? std::min(cpu_info().big_cores, cpu_info().usable_cores) : threads) {
  if (threads < 0) throw std::invalid_argument("thread pool: " + std::to_string(threads) + " threads asked for");
  state_ = std::make_unique<State>();
  // Where threads share a core, or a quota of processor time, spinning takes time from those that work.
  if (threads_ <= cpu_info().usable_cores) state_->spin_limit = std::chrono::microseconds(50);
  for (int worker = 1; worker < threads_; ++worker) {
    state_->workers.emplace_back([state = state_.get(), worker] { state->worker_loop(worker); });
  }
}

ThreadPool::~ThreadPool() = default;

void ThreadPool::run_erased(Index chunks, Function function, void* context) {
  if (chunks <= 0) return;
  if (chunks > static_cast<Index>(std::numeric_limits<std::int32_t>::max())) {
    throw std::invalid_argument("thread pool: " + std::to_string(chunks) + " chunks in a region");
  }
  State& state = *state_;
  for (const Frame* frame = innermost; frame != nullptr; frame = frame->outer) {
    if (frame->pool == &state) return state.run_inline(chunks, function, context, frame->worker);
  }
  const bool nested_in_another_pool = innermost != nullptr;
  const std::lock_guard turn(state.one_region);
  const kernels::FlushToZero flush_to_zero;
  const FrameScope frame(&state, 0);
  if (chunks == 1 || threads_ == 1 || nested_in_another_pool) {
    state.run_inline(chunks, function, context, 0);
  } else {
    state.run_region(chunks, function, context);
  }
}

}  // namespace linnet
