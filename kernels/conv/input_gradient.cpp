#include <algorithm>
#include <cstdint>

#include "kernels/conv/convolution.h"
#include "kernels/conv/patches.h"
#include "kernels/conv/phases.h"
#include "kernels/conv/tiles.h"
#include "kernels/pointwise/panels.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/pointwise/scratch.h"
#include "kernels/pointwise/split.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

/// The input pixels of one phase in both directions, and their taps.
struct Phase {
  AxisPhase y, x;
  const float* weights = nullptr;  ///< per group [taps_y][taps_x][group outputs] -> group inputs, packed
  std::size_t group_weights = 0;
  Index taps() const { return y.taps * x.taps; }
};

/// Packs one group's weights for one phase; `reordered` is scratch.
void pack_phase(const ConvolutionShape& shape, const Phase& phase, const float* weights, Index group, float* reordered,
                float* packed) {
  const Index inputs = shape.group_inputs(), outputs = shape.group_outputs();
  const Index width = shape.window.kernel_width, area = shape.window.kernel_area(), depth = phase.taps() * outputs;
  for (Index ty = 0; ty < phase.y.taps; ++ty) {
    for (Index tx = 0; tx < phase.x.taps; ++tx) {
      const Index tap =
          (phase.y.kernel_begin - ty * phase.y.kernel_step) * width + phase.x.kernel_begin - tx * phase.x.kernel_step;
      for (Index o = 0; o < outputs; ++o) {
        const float* filter = weights + (group * outputs + o) * inputs * area + tap;
        float* column = reordered + (ty * phase.x.taps + tx) * outputs + o;
        for (Index i = 0; i < inputs; ++i) column[i * depth] = filter[i * area];
      }
    }
  }
  pointwise_pack(reordered, depth, 1, depth, inputs, packed);
}

/// Gradients of the input pixels at some positions of one phase.
class PhaseGradient {
 public:
  PhaseGradient(const ConvolutionShape& shape, const Phase& phase, const float* output_gradient, float* input_gradient)
      : shape_(shape), phase_(phase), output_gradient_(output_gradient), input_gradient_(input_gradient) {}

  void run(Range positions, float* patches, float* gradients) const {
    const Window& window = shape_.window;
    const PointwiseKernels& pointwise = pointwise_kernels();
    const Index inputs = shape_.group_inputs(), outputs = shape_.group_outputs();
    const bool in_order = window.stride == 1;
    float* destination = in_order ? input_gradient_ + positions.begin * shape_.in_channels : gradients;
    for (Index group = 0; group < shape_.groups; ++group) {
      PointwiseArgs product;
      product.rows = positions.size();
      product.in_channels = phase_.taps() * outputs;
      product.out_channels = inputs;
      product.input = patches;
      product.input_stride = product.in_channels;
      product.weights = phase_.weights + static_cast<std::size_t>(group) * phase_.group_weights;
      product.output = destination + group * inputs;
      product.output_stride = shape_.in_channels;
      conv_kernels().gather(grid(group), positions, patches);
      pointwise.run(product, {}, {0, product.rows}, {0, panel_count(inputs, pointwise.lanes)});
    }
    if (!in_order) distribute(positions, gradients);
  }

 private:
  PatchGrid grid(Index group) const {
    const Window& window = shape_.window;
    PatchGrid grid;
    grid.input = output_gradient_ + group * shape_.group_outputs();
    grid.pixel_stride = shape_.out_channels;
    grid.channels = shape_.group_outputs();
    grid.in_height = window.out_height;
    grid.in_width = window.out_width;
    grid.height = phase_.y.count;
    grid.width = phase_.x.count;
    grid.top = phase_.y.source;
    grid.left = phase_.x.source;
    grid.taps_y = phase_.y.taps;
    grid.taps_x = phase_.x.taps;
    grid.tap_step = phase_source_step(window.stride, window.dilation);
    return grid;
  }

  void distribute(Range positions, const float* gradients) const {
    const Window& window = shape_.window;
    for (Index position = positions.begin; position < positions.end; ++position) {
      const Index image = position / (phase_.y.count * phase_.x.count);
      const Index y = phase_.y.begin + position / phase_.x.count % phase_.y.count * window.stride;
      const Index x = phase_.x.begin + position % phase_.x.count * window.stride;
      const Index pixel = (image * window.in_height + y) * window.in_width + x;
      std::copy_n(gradients + (position - positions.begin) * shape_.in_channels, shape_.in_channels,
                  input_gradient_ + pixel * shape_.in_channels);
    }
  }

  const ConvolutionShape& shape_;
  const Phase& phase_;
  const float* output_gradient_;
  float* input_gradient_;
};

}  // namespace

void convolution_input_gradient(ThreadPool& pool, const ConvolutionShape& shape, const float* output_gradient,
                                const float* weights, float* input_gradient) {
  const Window& window = shape.window;
  const Index inputs = shape.group_inputs(), outputs = shape.group_outputs();
  std::vector<Phase> phases;
  std::size_t packed_size = 0;
  for (const AxisPhase& y :
       axis_phases(window.in_height, window.kernel_height, window.stride, window.dilation, window.pad_top)) {
    for (const AxisPhase& x :
         axis_phases(window.in_width, window.kernel_width, window.stride, window.dilation, window.pad_left)) {
      Phase phase{y, x};
      phase.group_weights = aligned_size(static_cast<Index>(pointwise_packed_size(phase.taps() * outputs, inputs)));
      packed_size += phase.group_weights * static_cast<std::size_t>(shape.groups);
      phases.push_back(phase);
    }
  }

  const Scratch packed(packed_size);
  const Scratch reordered(static_cast<std::size_t>(window.kernel_area() * outputs * inputs));
  float* next = packed.data();
  for (Phase& phase : phases) {
    phase.weights = next;
    for (Index group = 0; group < shape.groups; ++group, next += phase.group_weights) {
      pack_phase(shape, phase, weights, group, reordered.data(), next);
    }
  }

  for (const Phase& phase : phases) {
    const PhaseGradient gradient(shape, phase, output_gradient, input_gradient);
    const Index patch_size = phase.taps() * outputs, positions = window.batch * phase.y.count * phase.x.count;
    const Index tile = tile_pixels(pointwise_kernels(), patch_size), tiles = divide_up(positions, tile);
    const Index chunks = chunk_count(std::int64_t{positions} * patch_size * shape.in_channels, tiles);
    pool.run(chunks, [&](Index chunk, int) {
      const Scratch scratch(aligned_size(tile * patch_size) + static_cast<std::size_t>(tile * shape.in_channels));
      float* gradients = scratch.data() + aligned_size(tile * patch_size);
      const Range part = split(tiles, chunks, chunk);
      for (Index t = part.begin; t < part.end; ++t) {
        gradient.run({t * tile, std::min((t + 1) * tile, positions)}, scratch.data(), gradients);
      }
    });
  }
}

}  // namespace linnet::kernels
