#include "linnet/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>

#include "allocation_counter.h"
#include "compiled_graphs.h"
#include "error_message.h"
#include "linnet/architectures.h"
#include "linnet/cpu.h"
#include "linnet/error.h"

namespace linnet {
namespace {

using test::message_of;

/// Every op, and one network of each family in small.
std::vector<Model> models() {
  std::vector<Graph> graphs = test::handmade_graphs();
  graphs.push_back(test::large_maps());
  for (const char* name :
       {"mobilenetv1_025_32x32", "mobilenetv2_100_64x64", "mobilenetv3_small_050_32x32",
        "mobilenetv4_conv_small_035_32x32", "mobilenetv4_hybrid_medium_32x32", "efficientnet_lite0_32x32",
        "shufflenetv1_g3_025_32x32", "shufflenet_v2_x0_5_32x32", "squeezenet1_1_32x32", "nasnetamobile_32x32"}) {
    graphs.push_back(architectures::build(name, {.classes = 10}));
  }
  std::vector<Model> list;
  for (Graph& graph : graphs) list.push_back(test::random_model(std::move(graph), 1));
  return list;
}

/// What steps can be made of.
const std::set<std::string> every_kernel = {"activate",
                                            "add",
                                            "average_pool",
                                            "channel_shuffle",
                                            "concat",
                                            "conv",
                                            "conv_concat",
                                            "copy",
                                            "depthwise_blocks",
                                            "depthwise_pointwise",
                                            "depthwise_reference",
                                            "global_average_pool",
                                            "grouped",
                                            "interleave",
                                            "inverted_residual",
                                            "inverted_residual_se",
                                            "linear",
                                            "max_pool",
                                            "multi_query_attention",
                                            "pointwise",
                                            "pointwise_depthwise",
                                            "scale_channels",
                                            "scale_shift",
                                            "slice_channels",
                                            "softmax",
                                            "stem_depthwise",
                                            "stem_depthwise_pointwise",
                                            "winograd",
                                            "zero_pad"};

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

  std::vector<std::shared_ptr<ThreadPool>> pools;
  for (const int threads : {1, 2, 4}) {
    pools.push_back(std::make_shared<ThreadPool>(threads));
    start_threads(*pools.back());
  }
  std::set<std::string> kernels;
  for (const Model& model : models()) {
    for (const auto& disabled : {std::vector<std::string>{}, pass_names()}) {
      const auto plan = compile(model, {.batch = 2, .threads = 4, .disabled_passes = disabled});
      for (const PlanStep& step : plan->steps()) kernels.insert(step.kernel);
      const std::vector<float> input = test::random_input(model, 2, 1);
      std::vector<float> output(size_of(plan->output_shape()));
      for (const auto& pool : pools) {
        SCOPED_TRACE(model.graph.name + ", threads " + std::to_string(pool->threads()));
        Session session(plan, pool);
        before = test::allocation_count();
        for (int run = 0; run < 2; ++run) session.run(input, output);
        EXPECT_EQ(test::allocation_count() - before, 0u);
      }
    }
  }
  std::set<std::string> expected = every_kernel;
  if (cpu_info().l2_bytes > 2u << 20) {  // where large_maps() are small
    for (const char* kernel : {"stem_depthwise", "stem_depthwise_pointwise"}) expected.erase(kernel);
  }
  EXPECT_TRUE(std::includes(kernels.begin(), kernels.end(), expected.begin(), expected.end())) << "some are not run";
  EXPECT_TRUE(std::includes(every_kernel.begin(), every_kernel.end(), kernels.begin(), kernels.end()))
      << "a kernel is not in this test's list";
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

/// In threads of their own, with pools of their own and with one for both.
TEST(Session, TwoModelsAtOnce) {
  const Model models[2] = {test::random_model(architectures::build("mobilenetv2_035_32x32_c10"), 1),
                           test::random_model(architectures::build("shufflenet_v2_x0_5_32x32_c10"), 2)};
  std::vector<float> inputs[2], expected[2], found[2];
  std::shared_ptr<const Plan> plans[2];
  for (std::size_t i = 0; i < 2; ++i) {
    plans[i] = compile(models[i], {.threads = 2});
    inputs[i] = test::random_input(models[i], 1, i);
    expected[i] = found[i] = std::vector<float>(size_of(plans[i]->output_shape()));
    Session(plans[i]).run(inputs[i], expected[i]);
  }
  for (const bool shares_pool : {false, true}) {
    const auto pool = std::make_shared<ThreadPool>(2);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 2; ++i) {
      threads.emplace_back([&, i] {
        Session session = shares_pool ? Session(plans[i], pool) : Session(plans[i], 2);
        for (int run = 0; run < 20; ++run) session.run(inputs[i], found[i]);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(found[i], expected[i]) << "model " << i << ", shared " << shares_pool;
  }
}

TEST(Session, ErrorsLeaveItUsable) {
  const Model model = test::random_model(test::handmade_graphs().front(), 1);
  const auto plan = compile(model, {.threads = 2});
  Session session(plan, 2);
  const std::vector<float> input = test::random_input(model, 1, 1);
  std::vector<float> expected(5), output(5), wrong(4);
  session.run(input, expected);
  const auto still_works = [&] {
    std::fill(output.begin(), output.end(), 0.0f);
    session.run(input, output);
    return output == expected;
  };
  EXPECT_THROW(session.run(input, wrong), Error);
  EXPECT_TRUE(still_works());
  EXPECT_THROW(session.run(wrong, output), Error);
  EXPECT_TRUE(still_works());
  for (std::size_t last = 0; last < plan->steps().size(); ++last) {
    std::size_t seen = 0;
    const auto observer = [&](const std::string&, const Shape&, const float*) {
      if (seen++ == last) throw last;
    };
    EXPECT_THROW(session.run(input, output, observer), std::size_t);
    EXPECT_EQ(seen, last + 1);
    EXPECT_TRUE(still_works());
  }
}

TEST(Session, RefusesToRunTwiceAtOnce) {
  const Model model = test::random_model(test::handmade_graphs().front(), 1);
  Session session(compile(model));
  const std::vector<float> input = test::random_input(model, 1, 1);
  std::vector<float> expected(5), output(5), other(5);
  session.run(input, expected);
  int refused = 0;
  const auto try_to_run = [&] {
    try {
      session.run(input, other);
    } catch (const Error& error) {
      refused += std::string(error.what()).find("session: it is running already") == 0;
    }
  };
  session.run(input, output, [&](const std::string&, const Shape&, const float*) {
    try_to_run();
    std::thread(try_to_run).join();
  });
  EXPECT_EQ(refused, 2 * static_cast<int>(session.plan().steps().size()));
  EXPECT_EQ(output, expected);
  session.run(input, other);
  EXPECT_EQ(other, expected);
}

TEST(Session, ObserverSeesEveryStep) {
  for (const Model& model : models()) {
    SCOPED_TRACE(model.graph.name);
    const auto plan = compile(model);
    Session session(plan);
    const std::vector<float> input = test::random_input(model, 1, 1);
    std::vector<float> plain(size_of(plan->output_shape())), observed(plain.size()), last;
    session.run(input, plain);
    const std::vector<PlanStep> planned = plan->steps();
    std::size_t steps = 0;
    Shape last_shape;
    session.run(input, observed, [&](const std::string& name, const Shape& shape, const float* values) {
      ASSERT_LT(steps, planned.size());
      EXPECT_EQ(name, planned[steps].name);
      EXPECT_EQ(shape, planned[steps++].shape);
      last_shape = shape;
      last.assign(values, values + size_of(shape));
    });
    EXPECT_EQ(observed, plain);
    EXPECT_EQ(last, plain);
    EXPECT_EQ(steps, planned.size());
  }
}

/// Steps before the split are seen for one picture after the other, with that picture's values.
TEST(Session, ObserverSeesPicturesOfABatch) {
  const Model model = test::random_model(test::handmade_graphs().front(), 1);
  const Index batch = 3;
  const auto plan = compile(model, {.batch = batch});
  std::vector<std::string> expected, seen;
  const std::vector<PlanStep> steps = plan->steps();
  for (Index picture = 0; picture < batch; ++picture) {
    for (const PlanStep& step : steps) {
      if (step.times == batch) expected.push_back(step.name);
    }
  }
  ASSERT_FALSE(expected.empty());
  for (const PlanStep& step : steps) {
    EXPECT_EQ(step.shape.front() * step.times, batch);
    if (step.times == 1) expected.push_back(step.name);
  }
  Session session(plan);
  const std::vector<float> input = test::random_input(model, batch, 1);
  std::vector<float> output(size_of(plan->output_shape()));
  session.run(input, output, [&](const std::string& name, const Shape&, const float*) { seen.push_back(name); });
  EXPECT_EQ(seen, expected);
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
