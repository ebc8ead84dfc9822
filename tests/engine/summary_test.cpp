#include "linnet/summary.h"

#include <gtest/gtest.h>

#include <limits>

namespace linnet {
namespace {

TEST(Summary, CountsAsTheHeaderSays) {
  GraphBuilder builder("net", 9, 7, 6);
  int x = builder.add("conv", op::Conv2d{.out_channels = 8, .kernel = 3, .stride = 2, .groups = 2, .bias = true}, {0});
  x = builder.add("norm", op::BatchNorm{}, {x});
  x = builder.add("act", op::Activate{Activation::relu}, {x});
  int gate = builder.add("pool", op::GlobalAveragePool{}, {x});
  gate = builder.add("reduce", op::Conv2d{.out_channels = 8}, {gate});
  x = builder.add("scale", op::ScaleChannels{}, {x, gate});
  x = builder.add("flatten", op::Flatten{}, {x});
  builder.add("linear", op::Linear{.out_features = 10}, {x});
  const Summary total = summary(std::move(builder).finish());

  ASSERT_EQ(total.layers.size(), 9u);
  const LayerSummary& conv = total.layers[1];
  EXPECT_EQ(conv.name, "conv");
  EXPECT_EQ(conv.op, "conv2d");
  EXPECT_EQ(conv.shape, (Shape{4, 3, 8}));
  EXPECT_EQ(conv.parameters, 8 * 3 * 9 + 8);
  EXPECT_EQ(conv.macs, 4 * 3 * 8 * 3 * 9);
  EXPECT_EQ(conv.activation_bytes, 4 * 3 * 8 * 4);
  EXPECT_EQ(total.layers[2].parameters, 16);
  EXPECT_EQ(total.layers[2].run_stats, 16);
  EXPECT_EQ(total.layers[2].tensors, 5);
  EXPECT_EQ(total.layers[2].macs, 0);
  EXPECT_EQ(total.layers[8].macs, 96 * 10);

  EXPECT_EQ(total.parameters, 224 + 16 + 64 + 970);
  EXPECT_EQ(total.run_stats, 16);
  EXPECT_EQ(total.tensors, 2 + 5 + 1 + 2);
  EXPECT_EQ(total.macs, 2592 + 64 + 960);
  EXPECT_EQ(total.activation_bytes, 4 * (9 * 7 * 6 + 5 * 96 + 2 * 8 + 10));
}

TEST(Summary, StaysAtTheLargestNumberForAbsurdGraphs) {
  GraphBuilder builder("absurd", 30000, 30000, 1);
  int x = 0;
  for (int i = 0; i < 2000; ++i) {
    x = builder.add("conv" + std::to_string(i),
                    op::Conv2d{.out_channels = 1, .kernel = 1023, .padding = {Padding::Rule::symmetric, 511}}, {x});
  }
  const Summary total = summary(std::move(builder).finish());
  EXPECT_EQ(total.layers[1].macs, std::int64_t{900000000} * 1023 * 1023);
  EXPECT_EQ(total.macs, std::int64_t{900000000} * 1023 * 1023 * 2000);
  GraphBuilder larger("absurd", 40000, 50000, 1);
  x = 0;
  for (int i = 0; i < 6000; ++i) {
    x = larger.add("conv" + std::to_string(i),
                   op::Conv2d{.out_channels = 1, .kernel = 1023, .padding = {Padding::Rule::symmetric, 511}}, {x});
  }
  EXPECT_EQ(summary(std::move(larger).finish()).macs, std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace linnet
