// Networks with several outputs, from JSON to sessions.
#include <gtest/gtest.h>

#include <cmath>

#include "allocation_counter.h"
#include "compiled_graphs.h"
#include "error_message.h"
#include "linnet/error.h"
#include "linnet/random.h"
#include "linnet/session.h"
#include "linnet/training_model.h"

namespace linnet {
namespace {

using test::message_of;

using Values = std::vector<std::vector<float>>;

std::vector<std::span<float>> spans_of(Values& values) { return {values.begin(), values.end()}; }

Values room_for(const Plan& plan) {
  Values values;
  for (std::size_t i = 0; i < plan.output_count(); ++i) {
    values.emplace_back(static_cast<std::size_t>(element_count(plan.output_shape(i))), NAN);
  }
  return values;
}

Values run_all(const Model& model, const CompileOptions& options, const std::vector<float>& input) {
  const auto plan = compile(model, options);
  Session session(plan, options.threads);
  Values values = room_for(*plan);
  session.run(input, spans_of(values));
  return values;
}

/// conv 1, bn 2, act 3, pool 4, flatten 5, fc 6
Graph six_nodes() {
  GraphBuilder builder("small", 6, 6, 3);
  int x = builder.add("conv", op::Conv2d{.out_channels = 4, .kernel = 3}, {0});
  x = builder.add("bn", op::BatchNorm{}, {x});
  x = builder.add("act", op::Activate{Activation::relu}, {x});
  x = builder.add("pool", op::GlobalAveragePool{}, {x});
  x = builder.add("flatten", op::Flatten{}, {x});
  builder.add("fc", op::Linear{.out_features = 2}, {x});
  return std::move(builder).finish();
}

TEST(Outputs, TravelInJson) {
  Graph graph = six_nodes();
  EXPECT_NE(to_json(graph).find("\"outputs\":[6]"), std::string::npos);
  EXPECT_TRUE(graph_from_json(to_json(graph)).outputs.empty());
  graph.outputs = {3, 6, 3, 0};
  const std::string text = to_json(graph);
  EXPECT_EQ(graph_from_json(text).outputs, graph.outputs);
  EXPECT_EQ(graph_from_json(text).output_nodes(), graph.outputs);

  const auto read_with = [&](const std::string& outputs) {
    std::string changed = text;
    const std::string field = "\"outputs\":[3,6,3,0]";
    return message_of([&] { graph_from_json(changed.replace(changed.find(field), field.size(), outputs)); });
  };
  EXPECT_NE(read_with("\"outputs\":[7]").find("field \"outputs\": expected a number from"), std::string::npos);
  EXPECT_NE(read_with("\"outputs\":[-1]").find("field \"outputs\""), std::string::npos);
  EXPECT_NE(read_with("\"outputs\":[]").find("expected at least one node"), std::string::npos);
  EXPECT_NE(read_with("\"outputs\":6").find("expected a list"), std::string::npos);
  EXPECT_NE(read_with("\"outlets\":[6]").find("\"outputs\" is missing"), std::string::npos);
  graph.outputs = {3, 7};
  EXPECT_EQ(message_of([&] { infer_shapes(graph); }),
            "graph \"small\": expected outputs among its 7 nodes, found node 7");
}

TEST(Outputs, CuttingKeepsWhatTheyDependOn) {
  const Graph part = cut_to_outputs(six_nodes(), {3, 1});
  EXPECT_EQ(part.nodes.size(), 4u);
  EXPECT_EQ(part.outputs, (std::vector{3, 1}));
  EXPECT_EQ(part.output().name, "conv");
  const Graph one = cut_to_outputs(six_nodes(), {4});
  EXPECT_TRUE(one.outputs.empty());
  EXPECT_EQ(one.output().name, "pool");
  EXPECT_EQ(message_of([] { cut_to_outputs(six_nodes(), {9}); }),
            "graph \"small\": expected outputs among its 7 nodes, found node 9");
}

/// Any nodes as outputs, the input, repeated and renaming ones among them: as the training model has them, with every
/// pass and with none, in a file and out of it.
TEST(Outputs, AreWhatTheTrainingModelHas) {
  ThreadPool pool(1);
  std::vector<Graph> graphs = test::handmade_graphs();
  for (std::uint64_t seed = 0; seed < 40; ++seed) graphs.push_back(test::random_graph(seed));
  for (std::size_t number = 0; number < graphs.size(); ++number) {
    Graph& graph = graphs[number];
    const CounterRandom random(5, number);
    for (std::uint64_t i = 0; i < 5; ++i) {
      graph.outputs.push_back(static_cast<int>(random.below(i, static_cast<std::uint32_t>(graph.nodes.size()))));
    }
    SCOPED_TRACE(to_json(graph));
    const Model model = test::random_model(graph_from_json(to_json(graph)), 6);
    const std::vector<float> input = test::random_input(model, 2, 7);
    Shape shape{2};
    shape.insert(shape.end(), model.graph.input().shape.begin(), model.graph.input().shape.end());
    TrainingModel reference(model.graph, model.weights);
    const auto expected = reference.forward_all(Tensor::from(shape, input), TrainingModel::Mode::evaluation, 0, pool);
    ASSERT_EQ(expected.size(), 5u);
    for (const int threads : {1, 2}) {
      for (const auto& disabled : {std::vector<std::string>{}, pass_names()}) {
        const Values found = run_all(model, {.batch = 2, .threads = threads, .disabled_passes = disabled}, input);
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          const Tensor& value = expected[i].value();
          const std::vector<float> values(value.data(), value.data() + value.size());
          ASSERT_EQ(found[i].size(), values.size());
          EXPECT_TRUE(found[i] == values || test::relative_difference(found[i], values) < 2e-5) << "output " << i;
        }
      }
    }
  }
}

TEST(Outputs, AllTakePartInTraining) {
  Graph graph = six_nodes();
  graph.outputs = {2, 6};
  const Model model = test::random_model(std::move(graph), 1);
  TrainingModel training(model.graph, model.weights);
  ThreadPool pool(1);
  const Tensor input = Tensor::full({2, 6, 6, 3}, 0.5f);
  EXPECT_NE(message_of([&] { training.forward(input, TrainingModel::Mode::training, 1, pool); }).find("forward_all"),
            std::string::npos);
  const auto outputs = training.forward_all(input, TrainingModel::Mode::training, 1, pool);
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_EQ(outputs[0].value().shape(), (Shape{2, 4, 4, 4}));
  EXPECT_EQ(outputs[1].value().shape(), (Shape{2, 2}));
  bool is_negative = false;  // the batch norm's own value, not that of the activation behind it
  for (Index i = 0; i < outputs[0].value().size(); ++i) is_negative |= outputs[0].value().data()[i] < 0;
  EXPECT_TRUE(is_negative);
}

TEST(Outputs, OfSessionsAreChecked) {
  Graph graph = six_nodes();
  graph.outputs = {3, 6};
  const Model model = test::random_model(std::move(graph), 1);
  const auto plan = compile(model);
  ASSERT_EQ(plan->output_count(), 2u);
  EXPECT_EQ(plan->output_shape(0), (Shape{1, 4, 4, 4}));
  EXPECT_EQ(plan->output_shape(1), (Shape{1, 2}));
  EXPECT_EQ(message_of([&] { plan->output_shape(2); }), "plan: small has 2 outputs, found a request for output 2");
  EXPECT_NE(plan->to_string().find("output 1"), std::string::npos);

  Session session(plan);
  const std::vector<float> input = test::random_input(model, 1, 1);
  Values values = room_for(*plan);
  std::vector<std::span<float>> spans = spans_of(values);
  EXPECT_EQ(message_of([&] { session.run(input, values[0]); }),
            "session: expected room for 2 outputs, found room for 1");
  const std::vector<std::span<float>> swapped{spans[1], spans[0]};
  EXPECT_NE(message_of([&] { session.run(input, swapped); }).find("the output has 2 values, expected 64"),
            std::string::npos);
  const std::vector<std::span<float>> overlapping{spans[0], spans[0].first(2)};
  EXPECT_EQ(message_of([&] { session.run(input, overlapping); }), "session: two outputs overlap");

  const std::size_t before = test::allocation_count();
  for (int run = 0; run < 3; ++run) session.run(input, spans);
  EXPECT_EQ(test::allocation_count() - before, 0u);
  // An output that a later step reads is the caller's memory: whoever reads it there sees what that step saw.
  EXPECT_FALSE(std::isnan(values[0].back()) || std::isnan(values[1].back()));
}

TEST(Outputs, ComeWithModelFiles) {
  Graph graph = six_nodes();
  graph.outputs = {3, 6};
  Model model = test::random_model(std::move(graph), 1);
  model.labels = {"a", "b"};
  const std::string path = testing::TempDir() + "several_outputs.safetensors";
  EXPECT_NE(message_of([&] { save_model(model, path); }).find("labels: expected a network with one output, found 2"),
            std::string::npos);
  model.labels.clear();
  save_model(model, path);
  EXPECT_EQ(load_model(path).graph.outputs, model.graph.outputs);
}

}  // namespace
}  // namespace linnet
