#include "linnet/thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "linnet/cpu.h"

namespace linnet {
namespace {

using std::chrono::milliseconds;

/// The smallest normal float halved: a denormal, or zero where they are flushed.
bool flushes_denormals() {
  volatile float smallest = 1.17549435e-38f;
  volatile float half = smallest * 0.5f;
  return half == 0.0f;
}

TEST(ThreadPool, EveryChunkOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    ASSERT_EQ(pool.threads(), threads);
    for (const Index chunks : {0, 1, 2, 3, 7, 64, 1000}) {
      SCOPED_TRACE(std::to_string(threads) + " threads, " + std::to_string(chunks) + " chunks");
      std::vector<std::atomic<int>> calls(static_cast<std::size_t>(chunks));
      std::atomic<bool> bad_worker{false};
      pool.run(chunks, [&](Index chunk, int worker) {
        ++calls[static_cast<std::size_t>(chunk)];
        if (worker < 0 || worker >= threads) bad_worker = true;
      });
      for (const auto& count : calls) ASSERT_EQ(count, 1);
      EXPECT_FALSE(bad_worker);
    }
  }
}

TEST(ThreadPool, ManyTinyRegions) {
  for (const int threads : {2, 8}) {
    ThreadPool pool(threads);
    const int regions = threads == 2 ? 20000 : 2000;
    Index total = 0;
    for (int region = 0; region < regions; ++region) {
      // What the region wrote must be visible when it has ended, with no synchronisation of our own.
      Index written[5] = {};
      pool.run(5, [&](Index chunk, int) { written[chunk] = chunk + region; });
      for (const Index value : written) total += value;
    }
    const Index expected = 10 * static_cast<Index>(regions) + 5 * static_cast<Index>(regions) * (regions - 1) / 2;
    EXPECT_EQ(total, expected);
  }
}

TEST(ThreadPool, RegionsAfterPauses) {
  // Long enough for the workers to park.
  ThreadPool pool(3);
  for (int region = 0; region < 20; ++region) {
    std::atomic<int> calls{0};
    pool.run(6, [&](Index, int) { ++calls; });
    EXPECT_EQ(calls, 6);
    std::this_thread::sleep_for(milliseconds(2));
  }
}

TEST(ThreadPool, WorkersTakePart) {
  ThreadPool pool(2);
  // The caller's chunk waits until the other one has begun, which only another thread can do.
  std::atomic<int> begun{0};
  std::atomic<bool> together{true};
  pool.run(2, [&](Index, int) {
    ++begun;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (begun < 2) {
      if (std::chrono::steady_clock::now() > end) {
        together = false;
        return;
      }
      std::this_thread::yield();
    }
  });
  EXPECT_TRUE(together);
}

TEST(ThreadPool, EndsWhenChunksAreDone) {
  // One worker of three is kept busy by its first chunk; the others do the rest meanwhile.
  ThreadPool pool(3);
  std::atomic<int> done{0};
  std::atomic<bool> slow_saw_the_rest{false};
  pool.run(50, [&](Index chunk, int) {
    if (chunk == 0) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (done < 49 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
      slow_saw_the_rest = done == 49;
    }
    ++done;
  });
  EXPECT_EQ(done, 50);
  EXPECT_TRUE(slow_saw_the_rest);
}

TEST(ThreadPool, SameWorkerNeverTwiceAtOnce) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> inside(4);
  std::atomic<bool> clash{false};
  const auto task = [&](Index, int worker) {
    auto& count = inside[static_cast<std::size_t>(worker)];
    if (++count != 1) clash = true;
    std::this_thread::yield();
    --count;
  };
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int region = 0; region < 200; ++region) pool.run(1 + region % 9, task);
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_FALSE(clash);
}

TEST(ThreadPool, ConcurrentCallersDoNotMix) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    std::vector<std::thread> callers;
    std::vector<Index> sums(4);
    for (std::size_t caller = 0; caller < sums.size(); ++caller) {
      callers.emplace_back([&pool, &sum = sums[caller], caller] {
        for (int region = 0; region < 300; ++region) {
          Index values[7] = {};
          pool.run(7, [&](Index chunk, int) { values[chunk] = static_cast<Index>(caller) * 100 + chunk; });
          for (const Index value : values) sum += value;
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    for (std::size_t caller = 0; caller < sums.size(); ++caller) {
      EXPECT_EQ(sums[caller], 300 * (static_cast<Index>(caller) * 700 + 21));
    }
  }
}

TEST(ThreadPool, ExceptionsReachTheCaller) {
  for (const int threads : {1, 2, 8}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 20; ++round) {
      std::atomic<int> calls{0};
      try {
        pool.run(10, [&](Index chunk, int) {
          ++calls;
          if (chunk == round % 10) throw std::runtime_error("chunk " + std::to_string(chunk));
        });
        FAIL() << "no exception";
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(error.what(), "chunk " + std::to_string(round % 10));
      }
      EXPECT_EQ(calls, 10) << "the region goes on to its end";
    }
    EXPECT_THROW(pool.run(10, [](Index, int) { throw 1; }), int) << "all of them throw, one arrives";
    std::atomic<int> calls{0};
    pool.run(10, [&](Index, int) { ++calls; });
    EXPECT_EQ(calls, 10) << "nothing is left of the exception";
  }
}

TEST(ThreadPool, NestedRegionsRunInline) {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    std::atomic<int> calls{0};
    std::atomic<bool> elsewhere{false};
    pool.run(6, [&](Index, int worker) {
      const std::thread::id thread = std::this_thread::get_id();
      pool.run(5, [&](Index, int inner_worker) {
        if (inner_worker != worker || std::this_thread::get_id() != thread) elsewhere = true;
        pool.run(2, [&](Index, int) { ++calls; });
      });
    });
    EXPECT_EQ(calls, 60);
    EXPECT_FALSE(elsewhere);
  }
}

TEST(ThreadPool, NestedRegionsOfAnotherPool) {
  ThreadPool outer(3), inner(2);
  std::vector<std::atomic<int>> inside(2);
  std::atomic<int> calls{0};
  std::atomic<bool> clash{false}, elsewhere{false};
  outer.run(12, [&](Index, int) {
    const std::thread::id thread = std::this_thread::get_id();
    inner.run(4, [&](Index, int worker) {
      if (++inside[static_cast<std::size_t>(worker)] != 1) clash = true;
      if (std::this_thread::get_id() != thread) elsewhere = true;
      ++calls;
      --inside[static_cast<std::size_t>(worker)];
    });
  });
  EXPECT_EQ(calls, 48);
  EXPECT_FALSE(clash);
  EXPECT_FALSE(elsewhere);
}

TEST(ThreadPool, FlushesDenormalsInsideAndRestoresOutside) {
#if !defined(__x86_64__) && !defined(__aarch64__) && !defined(__arm__)
  GTEST_SKIP() << "this architecture has no flush-to-zero mode that the pool knows";
#endif
  ASSERT_FALSE(flushes_denormals()) << "the caller's own mode";
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (const Index chunks : {1, 40}) {
      std::atomic<int> flushed{0};
      pool.run(chunks, [&](Index, int) { flushed += flushes_denormals() ? 1 : 0; });
      EXPECT_EQ(flushed, chunks) << threads << " threads";
      EXPECT_FALSE(flushes_denormals());
    }
    EXPECT_THROW(pool.run(4, [](Index, int) { throw 1; }), int);
    EXPECT_FALSE(flushes_denormals()) << "also after an exception";
  }
}

TEST(ThreadPool, DefaultIsTheBigCoresWithinTheQuota) {
  const int expected = std::min(cpu_info().big_cores, cpu_info().usable_cores);
  EXPECT_EQ(ThreadPool().threads(), expected);
  EXPECT_EQ(ThreadPool(0).threads(), expected);
}

TEST(ThreadPool, IdleThreadsPark) {
  for (const int threads : {2, 8}) {
    ThreadPool pool(threads);
    pool.run(threads, [](Index, int) {});
    std::this_thread::sleep_for(milliseconds(20));
    const std::clock_t before = std::clock();  // processor time of all threads
    std::this_thread::sleep_for(milliseconds(100));
    const double used = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    EXPECT_LT(used, 0.03) << "seconds of processor time in 0.1 s, " << threads << " threads";
  }
}

TEST(ThreadPool, RefusesNegativeCounts) {
  EXPECT_THROW(ThreadPool(-1), std::invalid_argument);
  ThreadPool pool(2);
  pool.run(-3, [](Index, int) { FAIL(); });
}

TEST(ThreadPool, ComesAndGoes) {
  for (int round = 0; round < 50; ++round) {
    ThreadPool pool(4);
    if (round % 2 == 0) pool.run(8, [](Index, int) {});
  }
}

}  // namespace
}  // namespace linnet
