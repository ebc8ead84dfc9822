#include "kernels/pointwise/pointwise.h"

#include "benches/bench_kernels/bench.h"
#include "kernels/pointwise/panels.h"
#include "kernels/pointwise/scratch.h"

namespace linnet::kernels::bench::pointwise_bench {
namespace {

struct Layer {
  Index pixels, in, out;  ///< pixels along one side
  double operations() const { return 2.0 * static_cast<double>(pixels * pixels) * static_cast<double>(in * out); }
  std::string name() const { return shape({pixels, pixels, in, out}); }
};

/// Layers of MobileNetV1, V2 and V3 at 224 pixels; the last two are squeeze-and-excite.
constexpr Layer layers[] = {{112, 32, 64},   {56, 128, 128}, {28, 256, 256}, {14, 512, 512}, {7, 512, 1024},
                            {7, 1024, 1024}, {112, 16, 96},  {112, 32, 16},  {56, 24, 144},  {56, 144, 24},
                            {28, 32, 192},   {28, 192, 32},  {14, 64, 384},  {14, 384, 64},  {14, 96, 576},
                            {14, 576, 96},   {7, 160, 960},  {7, 960, 160},  {7, 960, 320},  {7, 320, 1280},
                            {28, 72, 40},    {28, 40, 120},  {1, 960, 240},  {1, 240, 960}};

void forward(benchmark::State& state, const std::string& isa, const PointwiseKernels& kernels, const Layer& layer) {
  const std::vector<float> input = random_floats(layer.pixels * layer.pixels * layer.in);
  const std::vector<float> weights = random_floats(layer.in * layer.out), bias = random_floats(layer.out);
  std::vector<float> output(static_cast<std::size_t>(layer.pixels * layer.pixels * layer.out));
  const Scratch packed(pointwise_packed_size(kernels, layer.in, layer.out));
  pointwise_pack(kernels, weights.data(), layer.in, 1, layer.in, layer.out, packed.data());
  PointwiseArgs args;
  args.rows = layer.pixels * layer.pixels;
  args.in_channels = args.input_stride = layer.in;
  args.out_channels = args.output_stride = layer.out;
  args.input = input.data();
  args.weights = packed.data();
  args.output = output.data();
  args.epilogue.bias = bias.data();
  args.epilogue.activation = Activation::relu6;
  for ([[maybe_unused]] auto _ : state)
    kernels.run(args, {}, {0, args.rows}, {0, panel_count(layer.out, kernels.lanes)});
  count_work(state, isa, layer.operations(),
             float_bytes({args.rows * layer.in, args.rows * layer.out, layer.in * layer.out}));
}

void weight_gradient(benchmark::State& state, const PointwiseGradientKernels& kernels, const Layer& layer) {
  const Index rows = layer.pixels * layer.pixels;
  const std::vector<float> input = random_floats(rows * layer.in), gradient = random_floats(rows * layer.out);
  std::vector<float> result(static_cast<std::size_t>(layer.in * layer.out));
  const Scratch scratch(weight_gradient_scratch_size(kernels, layer.out));
  PointwiseWeightGradientArgs args;
  args.rows = rows;
  args.in_channels = args.input_stride = layer.in;
  args.out_channels = args.output_gradient_stride = layer.out;
  args.input = input.data();
  args.output_gradient = gradient.data();
  WeightGradientBlock block;
  block.rows = {0, rows};
  block.outputs = {0, layer.out};
  block.inputs = {0, layer.in};
  block.gradient = result.data();
  block.gradient_stride = layer.in;
  block.scratch = scratch.data();
  for ([[maybe_unused]] auto _ : state) kernels.weight_gradient(args, block);
  count_operations(state, layer.operations());
}

const bool registered =
    for_each_variant(pointwise_variants(), [](const std::string& isa, const PointwiseKernels& kernels) {
      for (const Layer& layer : layers) {
        benchmark::RegisterBenchmark(path({"pointwise", layer.name(), isa}).c_str(),
                                     [=, &kernels](benchmark::State& state) { forward(state, isa, kernels, layer); });
      }
    });
const bool gradients_registered = for_each_variant(
    pointwise_gradient_variants(), [](const std::string& isa, const PointwiseGradientKernels& kernels) {
      for (const Layer& layer : layers) {
        benchmark::RegisterBenchmark(path({"pointwise_weight_gradient", layer.name(), isa}).c_str(),
                                     [&](benchmark::State& state) { weight_gradient(state, kernels, layer); });
      }
    });

}  // namespace
}  // namespace linnet::kernels::bench::pointwise_bench
