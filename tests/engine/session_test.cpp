#include "linnet/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "allocation_counter.h"
#include "compiled_graphs.h"
#include "error_message.h"
#include "linnet/architectures.h"
#include "linnet/error.h"

namespace linnet {
namespace {

using test::message_of;

/// Every op, and a real network in small.
std::vector<Model> models() {
  std::vector<Model> list;
  for (Graph& graph : test::handmade_graphs()) list.push_back(test::random_model(std::move(graph), 1));
  list.push_back(test::random_model(architectures::build("mobilenetv2_100_64x64_c10"), 1));
  return list;
}

std::size_t size_of(const Shape& shape) { return static_cast<std::size_t>(element_count(shape)); }

/// A thread that starts may allocate; this waits until all have.
void start_threads(ThreadPool& pool) {
  std::atomic<int> started{0};
  pool.run(pool.threads(), [&](Index, int) {
    ++started;
    while (started < pool.threads()) std::this_thread::yield();
  });
}

TEST(Session, RunDoesNotAllocate) {
  std::size_t before = test::allocation_count();
  int* volatile object = new int;  // volatile, or the compiler leaves both calls out
  delete object;
  void* volatile memory = std::malloc(8);
  std::free(memory);
  ASSERT_GE(test::allocation_count() - before, test::counts_malloc() ? 2u : 1u) << "the counter does not count";

  for (const Model& model : models()) {
    for (const int threads : {1, 2}) {
      SCOPED_TRACE(model.graph.name + ", threads " + std::to_string(threads));
      const auto plan = compile(model, {.batch = 2, .threads = threads, .disabled_passes = {}});
      const auto pool = std::make_shared<ThreadPool>(threads);
      start_threads(*pool);
      Session session(plan, pool);
      const std::vector<float> input = test::random_input(model, 2, 1);
      std::vector<float> output(size_of(plan->output_shape()));
      before = test::allocation_count();
      for (int run = 0; run < 3; ++run) session.run(input, output);
      EXPECT_EQ(test::allocation_count() - before, 0u);
    }
  }
}

TEST(Session, SameBitsForAnyNumberOfThreads) {
  for (const Model& model : models()) {
    SCOPED_TRACE(model.graph.name);
    const std::vector<float> input = test::random_input(model, 2, 1);
    const auto plan = compile(model, {.batch = 2, .threads = 3, .disabled_passes = {}});
    std::vector<std::vector<float>> outputs;
    for (const int threads : {1, 2, 3}) {
      Session session(plan, threads);
      for (int run = 0; run < 2; ++run) {
        outputs.emplace_back(size_of(plan->output_shape()));
        session.run(input, outputs.back());
        EXPECT_EQ(std::memcmp(outputs.back().data(), outputs[0].data(), outputs[0].size() * sizeof(float)), 0)
            << "threads " << threads;
      }
    }
  }
}

TEST(Session, ManyOnOnePlanAtOnce) {
  const Model model = test::random_model(architectures::build("mobilenetv2_100_64x64_c10"), 1);
  const auto plan = compile(model, {.batch = 1, .threads = 2, .disabled_passes = {}});
  constexpr std::size_t sessions = 4;
  std::vector<std::vector<float>> inputs, expected(sessions), found(sessions);
  for (std::size_t i = 0; i < sessions; ++i) {
    inputs.push_back(test::random_input(model, 1, i));
    expected[i] = found[i] = std::vector<float>(size_of(plan->output_shape()));
    Session(plan).run(inputs[i], expected[i]);
  }
  const auto shared_pool = std::make_shared<ThreadPool>(2);
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < sessions; ++i) {
    workers.emplace_back([&, i] {
      Session session = i % 2 == 0 ? Session(plan, shared_pool) : Session(plan, 2);
      for (int run = 0; run < 5; ++run) session.run(inputs[i], found[i]);
    });
  }
  for (std::thread& worker : workers) worker.join();
  for (std::size_t i = 0; i < sessions; ++i) EXPECT_EQ(found[i], expected[i]) << "session " << i;
}

TEST(Session, ObserverSeesEveryStep) {
  for (const Model& model : models()) {
    SCOPED_TRACE(model.graph.name);
    const auto plan = compile(model);
    Session session(plan);
    const std::vector<float> input = test::random_input(model, 1, 1);
    std::vector<float> plain(size_of(plan->output_shape())), observed(plain.size()), last;
    session.run(input, plain);
    const std::string text = plan->to_string();
    std::size_t steps = 0;
    Shape last_shape;
    session.run(input, observed, [&](const std::string& name, const Shape& shape, const float* values) {
      ++steps;
      EXPECT_NE(text.find("\n" + name + " "), std::string::npos) << name;
      last_shape = shape;
      last.assign(values, values + size_of(shape));
    });
    EXPECT_EQ(observed, plain);
    EXPECT_EQ(last, plain);
    EXPECT_EQ(static_cast<std::ptrdiff_t>(steps), std::count(text.begin(), text.end(), '\n') - 1);
  }
}

TEST(Session, RefusesWrongUse) {
  const Model model = test::random_model(test::handmade_graphs().front(), 1);
  const auto plan = compile(model);
  EXPECT_EQ(message_of([&] { Session(plan, 2); }),
            "session: the plan was compiled for at most 1 threads, found a pool of 2");
  EXPECT_EQ(message_of([&] { Session(plan, -1); }), "session: threads must not be negative, found -1");
  EXPECT_EQ(message_of([&] { Session(nullptr, 1); }), "session: no plan or no pool was given");

  Session session(plan);
  std::vector<float> input = test::random_input(model, 1, 1), output(5), wrong(4);
  EXPECT_EQ(message_of([&] { session.run(wrong, output); }),
            "session: the input has 4 values, expected 663, [1, 17, 13, 3]");
  EXPECT_EQ(message_of([&] { session.run(input, wrong); }), "session: the output has 4 values, expected 5, [1, 5]");
  EXPECT_EQ(message_of([&] { session.run(input, std::span(input).first(5)); }), "session: input and output overlap");
  EXPECT_NO_THROW(session.run(input, output));
}

}  // namespace
}  // namespace linnet
