// A pool of threads for short parallel regions.
#pragma once

#include <memory>
#include <type_traits>

#include "linnet/types.h"

namespace linnet {

/// Runs regions of numbered chunks. The calling thread always works too, so a pool of one thread starts none.
///
/// A region ends when all its chunks are done, not when all threads have arrived: a thread that the operating system
/// has descheduled delays nothing. Idle threads spin for a bounded time, then park. Every worker runs with
/// flush-to-zero set, and the caller's mode is restored when its region ends.
///
/// Which thread runs which chunk is not fixed; work whose result depends on the order (sums) must be cut into chunks
/// by its shape alone and combined in chunk order, and is then bit-identical for any number of threads.
class ThreadPool {
 public:
  /// @param threads number of threads including the caller; 0 means cpu_info().big_cores, and no more
  ///        than cpu_info().usable_cores. Negative throws std::invalid_argument; a number that the system refuses
  ///        throws std::system_error.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  /// Calls task(chunk, worker) once for each chunk in [0, chunks), worker in [0, threads()), and returns when all are
  /// done. Two tasks with the same worker never run at the same time, so per-worker scratch is safe. Does not allocate.
  /// The first exception that a task throws is rethrown here, after the region has ended. Regions of other callers
  /// wait their turn; a region started from within a task runs on that task's own thread.
  template <class Task>
  void run(Index chunks, Task&& task) {
    using Plain = std::remove_reference_t<Task>;
    run_erased(
        chunks, [](void* context, Index chunk, int worker) { (*static_cast<Plain*>(context))(chunk, worker); },
        const_cast<void*>(static_cast<const void*>(&task)));
  }

 private:
  using Function = void (*)(void* context, Index chunk, int worker);
  void run_erased(Index chunks, Function function, void* context);

  struct State;
  int threads_;
  std::unique_ptr<State> state_;
};

}  // namespace linnet
