#include "kernels/inverted_residual/inverted_residual.h"

#include <algorithm>

#include "kernels/conv/convolution.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/linear/linear.h"
#include "kernels/pointwise/panels.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/pointwise/split.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

/// One image of a call.
class Image {
 public:
  Image(ThreadPool& pool, const InvertedResidualPlan& plan, const InvertedResidualArgs& args, Index image)
      : pool_(pool),
        args_(args),
        plan_(plan),
        shape_(plan.shape),
        window_(plan.shape.window),
        pointwise_(pointwise_kernels()),
        depthwise_(select(depthwise_block_variants())),
        elementwise_(select(elementwise_variants())),
        out_pixels_(window_.out_height * window_.out_width) {
    const Window& source = shape_.has_stem ? shape_.stem : window_;
    input_ = args.input + image * source.in_height * source.in_width * shape_.input_stride;
    output_ = args.output + image * out_pixels_ * (shape_.out_channels != 0 ? shape_.out_channels : shape_.channels);
    epilogue_ = args.epilogue;
    if (epilogue_.residual) epilogue_.residual += image * out_pixels_ * epilogue_.residual_stride;
    map_ = args.workspace + static_cast<Index>(pool.threads()) * plan_.per_thread();
    sums_ = map_ + plan_.map;
    means_ = sums_ + plan_.row_sums;
    project_weights_ = args.project;
  }

  void run() {
    if (plan_.by_rows) {
      run_by_rows();
    } else {
      run_by_blocks();
    }
    if (!plan_.keeps_map) return;
    if (shape_.squeezed != 0) find_gates();
    project_map();
  }

 private:
  float* expanded(int worker) const { return args_.workspace + worker * plan_.per_thread(); }
  float* gates() const { return means_ + plan_.blocks * plan_.lanes; }
  Range blocks_of(Index group) const {
    return {group * plan_.group, group + 1 == plan_.groups ? plan_.blocks : (group + 1) * plan_.group};
  }
  Index block_size() const { return plan_.ring * plan_.row; }

  /// The input rows `rows` of some blocks to `place` in the buffer, where their first pixel is.
  void expand(Range rows, Range blocks, float* place) const {
    const Index begin = blocks.begin * plan_.lanes;
    const Index channels = std::min(blocks.end * plan_.lanes, shape_.channels) - begin;
    if (!shape_.expands) return copy(rows, begin, channels, place);
    PointwiseArgs product;
    product.rows = rows.size() * window_.in_width;
    product.in_channels = shape_.in_channels;
    product.out_channels = channels;
    product.input = input_ + rows.begin * window_.in_width * shape_.input_stride;
    product.input_stride = shape_.input_stride;
    product.weights = args_.expand.weights + begin * shape_.in_channels;
    product.epilogue.bias = args_.expand.bias ? args_.expand.bias + begin : nullptr;
    fill(product, {}, place);
  }

  /// A row of the stem's output, all blocks.
  void convolve(Index row, float* place, float* copy) const {
    RowProduct stem = convolution_row({shape_.stem, 1, shape_.in_channels, shape_.channels}, row, input_,
                                      shape_.input_stride, args_.expand.weights, copy);
    stem.product.epilogue.bias = args_.expand.bias;
    fill(stem.product, stem.segments, place);
  }

  /// Runs a product whose output lies in blocks of the buffer.
  void fill(PointwiseArgs& product, const Segments& segments, float* place) const {
    product.output = place;
    product.output_stride = plan_.lanes;
    const bool afterwards = is_long(args_.expand.activation);
    product.epilogue.activation = afterwards ? Activation::none : args_.expand.activation;
    product.blocks = {block_size(), plan_.by_rows ? nullptr : plan_.positions.data()};
    pointwise_.run(product, segments, {0, product.rows}, {0, panel_count(product.out_channels, plan_.lanes)});
    if (afterwards) activate(product, place);
  }

  void activate(const PointwiseArgs& product, float* place) const {
    const Index rows = product.rows / window_.in_width, size = window_.in_width * plan_.lanes;
    for (Index b = 0; b < vector_count(product.out_channels, plan_.lanes); ++b) {
      for (Index y = 0; y < rows; ++y) {
        float* row = place + b * block_size() + y * plan_.row;
        elementwise_.activate(args_.expand.activation, size, row, row);
      }
    }
  }

  /// As expand(), without an expansion.
  void copy(Range rows, Index begin, Index channels, float* place) const {
    for (Index y = rows.begin; y < rows.end; ++y, place += plan_.row) {
      depthwise_.to_blocks({.pixels = input_ + y * window_.in_width * shape_.input_stride + begin,
                            .stride = shape_.input_stride,
                            .count = window_.in_width,
                            .channels = channels,
                            .next = begin + channels < shape_.channels,
                            .blocks = place,
                            .block_stride = block_size()});
    }
  }

  /// Zeroes the columns of padding, and the rows that hold no row of the image.
  void clear_padding(float* buffer, Index blocks, Range image_rows) const {
    const Index left = window_.pad_left * plan_.lanes, right = left + window_.in_width * plan_.lanes;
    for (Index b = 0; b < blocks; ++b) {
      for (Index r = 0; r < plan_.ring; ++r) {
        float* row = buffer + b * block_size() + r * plan_.row;
        const bool holds_image = r >= image_rows.begin && r < image_rows.end;
        std::fill(row, row + (holds_image ? left : plan_.row), 0.0f);
        std::fill(row + right, row + plan_.row, 0.0f);
      }
    }
  }

  DepthwiseBlockArgs depthwise_block(const float* buffer, Index block) const {
    DepthwiseBlockArgs depthwise;
    depthwise.kernel = window_.kernel_height;
    depthwise.stride = window_.stride;
    depthwise.input = buffer;
    depthwise.input_row = plan_.row;
    depthwise.ring = plan_.ring;
    depthwise.weights = args_.depthwise.weights + block * window_.kernel_area() * plan_.lanes;
    depthwise.bias = args_.depthwise.bias + block * plan_.lanes;
    depthwise.activation = args_.depthwise.activation;
    depthwise.width = window_.out_width;
    return depthwise;
  }

  /// Where the depthwise convolution's output goes: rows from `row` on of block `block`.
  void place_output(DepthwiseBlockArgs& depthwise, Index block, Index row, float* row_map) const {
    depthwise.channels = plan_.lanes;
    depthwise.output_pixel = plan_.lanes;
    depthwise.output_row = window_.out_width * plan_.lanes;
    if (plan_.keeps_map) {
      depthwise.output = map_ + (block * out_pixels_ + row * window_.out_width) * plan_.lanes;
    } else if (shape_.out_channels != 0) {
      depthwise.output = row_map + block * window_.out_width * plan_.lanes;
    } else {
      depthwise.channels = std::min(plan_.lanes, shape_.channels - block * plan_.lanes);
      depthwise.output_pixel = shape_.channels;
      depthwise.output_row = window_.out_width * shape_.channels;
      depthwise.output = output_ + row * depthwise.output_row + block * plan_.lanes;
    }
  }

  void run_by_blocks() {
    const std::int64_t work =
        std::int64_t{out_pixels_} * shape_.channels * window_.kernel_area() +
        (shape_.expands ? std::int64_t{window_.in_height} * window_.in_width * shape_.in_channels * shape_.channels
                        : 0);
    const Index chunks = chunk_count(work, plan_.groups, pool_.threads());
    pool_.run(chunks, [&](Index chunk, int worker) {
      float* buffer = expanded(worker);
      const Index top = window_.pad_top;
      clear_padding(buffer, plan_.group + 1, {top, top + window_.in_height});
      const Range groups = split(plan_.groups, chunks, chunk);
      for (Index group = groups.begin; group < groups.end; ++group) run_blocks(buffer, blocks_of(group));
    });
  }

  void run_blocks(float* buffer, Range blocks) const {
    float* place = buffer + window_.pad_top * plan_.row + window_.pad_left * plan_.lanes;
    expand({0, window_.in_height}, blocks, place);
    for (Index b = blocks.begin; b < blocks.end; ++b) {
      DepthwiseBlockArgs depthwise = depthwise_block(buffer + (b - blocks.begin) * block_size(), b);
      depthwise.rows = window_.out_height;
      place_output(depthwise, b, 0, nullptr);
      if (shape_.squeezed != 0) depthwise.sums = sums_ + b * plan_.lanes;
      depthwise_.block(depthwise);
    }
  }

  /// Each chunk makes the rows at its upper border once more, so it has many rows unless threads would go without. What
  /// a row holds does not depend on its chunk.
  void run_by_rows() {
    constexpr Index enough_rows = 28;
    const Index threads = pool_.threads();
    const Index wanted = threads == 1 ? 1 : std::clamp(window_.out_height / enough_rows, threads, 2 * threads);
    const Index chunks = std::min(window_.out_height, wanted);
    pool_.run(chunks, [&](Index chunk, int worker) {
      float* buffer = expanded(worker);
      float* row_map = buffer + plan_.expanded + plan_.stem_rows;
      clear_padding(buffer, plan_.blocks, {0, plan_.ring});
      const Range outputs = split(window_.out_height, chunks, chunk);
      Index next = outputs.begin * window_.stride - window_.pad_top;  // row of the input that is not in the ring yet
      for (Index y = outputs.begin; y < outputs.end; ++y) {
        const Index first = y * window_.stride - window_.pad_top;
        const Range missing{std::max(next, first), first + plan_.ring};
        next = missing.end;
        for (Index group = 0; group < plan_.groups; ++group) {
          const Range blocks = blocks_of(group);
          for (Index row = missing.begin; row < missing.end; ++row) fill_slot(buffer, row, blocks);
          for (Index b = blocks.begin; b < blocks.end; ++b) {
            DepthwiseBlockArgs depthwise = depthwise_block(buffer + b * block_size(), b);
            depthwise.rows = 1;
            depthwise.slot = slot_of(first);
            place_output(depthwise, b, y, row_map);
            if (shape_.squeezed != 0) depthwise.sums = sums_ + (y * plan_.blocks + b) * plan_.lanes;
            depthwise_.block(depthwise);
          }
        }
        if (plan_.row_map != 0) {
          project(row_map, window_.out_width, {0, window_.out_width}, y * window_.out_width,
                  {0, panel_count(shape_.out_channels, plan_.lanes)});
        }
      }
    });
  }

  Index slot_of(Index row) const { return (row + window_.pad_top) % plan_.ring; }

  void fill_slot(float* buffer, Index row, Range blocks) const {
    float* place = buffer + blocks.begin * block_size() + slot_of(row) * plan_.row + window_.pad_left * plan_.lanes;
    if (row >= 0 && row < window_.in_height) {
      if (shape_.has_stem) return convolve(row, place, buffer + plan_.expanded);
      return expand({row, row + 1}, blocks, place);
    }
    for (Index b = 0; b < blocks.size(); ++b) {
      std::fill_n(place + b * block_size(), window_.in_width * plan_.lanes, 0.0f);
    }
  }

  /// Some rows of a map in blocks of `pixels` pixels; its first one is the output's `first_pixel`.
  void project(const float* map, Index pixels, Range rows, Index first_pixel, Range panels) const {
    PointwiseArgs product;
    product.rows = rows.end;
    product.in_channels = shape_.channels;
    product.out_channels = shape_.out_channels;
    product.input = map;
    product.input_stride = plan_.lanes;
    product.weights = project_weights_;
    product.output = output_ + first_pixel * shape_.out_channels;
    product.output_stride = shape_.out_channels;
    product.epilogue = epilogue_;
    if (epilogue_.residual) product.epilogue.residual += first_pixel * epilogue_.residual_stride;
    pointwise_.run(product, {plan_.lanes, pixels * plan_.lanes}, rows, panels);
  }

  void find_gates() {
    const Index padded = plan_.blocks * plan_.lanes;
    const Index rows = plan_.by_rows ? window_.out_height : 1;
    const float scale = 1.0f / static_cast<float>(out_pixels_);
    for (Index c = 0; c < shape_.channels; ++c) {
      float total = 0;
      for (Index row = 0; row < rows; ++row) total += sums_[row * padded + c];
      means_[c] = total * scale;
    }
    float* squeezed = gates() + padded;
    const auto layer = [&](const AffineWeights& weights, Index inputs, const float* input, Index outputs,
                           float* output) {
      linear(pool_, {1, inputs, outputs, input, weights.weights, weights.bias, weights.activation, output});
    };
    layer(args_.squeeze, shape_.channels, means_, shape_.squeezed, squeezed);
    layer(args_.excite, shape_.squeezed, squeezed, shape_.channels, gates());
    std::fill(gates() + shape_.channels, gates() + padded, 0.0f);
  }

  void scale_map(Range rows, Range blocks) const {
    for (Index b = blocks.begin; b < blocks.end; ++b) {
      float* values = map_ + (b * out_pixels_ + rows.begin) * plan_.lanes;
      elementwise_.scale_channels(rows.size(), plan_.lanes, values, gates() + b * plan_.lanes, values);
    }
  }

  /// The projection's weights times the gates of their inputs.
  void scale_weights() {
    float* scaled = means_ + plan_.gates;
    run_in_parts(panel_count(shape_.out_channels, plan_.lanes), shape_.channels * shape_.out_channels,
                 [&](Range panels) {
                   for (Index panel = panels.begin; panel < panels.end; ++panel) scale_panel(panel, scaled);
                 });
    project_weights_ = scaled;
  }

  void scale_panel(Index panel, float* scaled) const {
    const Index begin = panel_begin(panel, plan_.lanes) * shape_.channels;
    const Index width = panel_vectors(panel, shape_.out_channels, plan_.lanes) * plan_.lanes;
    for (Index i = 0; i < shape_.channels; ++i) {
      const float gate = gates()[i];
      const float* weights = args_.project + begin + i * width;
      for (Index column = 0; column < width; ++column) scaled[begin + i * width + column] = weights[column] * gate;
    }
  }

  /// Work that is little more than reading and writing so many floats.
  template <class Function>
  void run_in_parts(Index size, Index floats, Function&& part) const {
    constexpr std::int64_t multiply_adds = 8;  // that take as long as one float
    const Index parts = chunk_count(multiply_adds * floats, size, pool_.threads());
    pool_.run(parts, [&](Index chunk, int) { part(split(size, parts, chunk)); });
  }

  void project_map() {
    const ProductCut cut(out_pixels_, shape_.channels, shape_.out_channels, plan_.lanes, pointwise_.tile_rows,
                         pool_.threads());
    const Range all{0, out_pixels_};
    if (plan_.gated_weights != 0) scale_weights();
    const bool gated = shape_.squeezed != 0 && plan_.gated_weights == 0;
    if (gated && cut.by_panels()) {  // every chunk reads the whole map
      run_in_parts(plan_.blocks, out_pixels_ * shape_.channels, [&](Range blocks) { scale_map(all, blocks); });
    }
    pool_.run(cut.chunks(), [&](Index chunk, int) {
      if (gated && !cut.by_panels()) scale_map(cut.rows(chunk), {0, plan_.blocks});
      project(map_, out_pixels_, cut.rows(chunk), 0, cut.panels(chunk));
    });
  }

  ThreadPool& pool_;
  const InvertedResidualArgs& args_;
  const InvertedResidualPlan& plan_;
  const InvertedResidualShape& shape_;
  const Window& window_;
  const PointwiseKernels& pointwise_;
  const DepthwiseBlockKernels& depthwise_;
  const ElementwiseKernels& elementwise_;
  Index out_pixels_;
  const float* input_;
  float* output_;
  Epilogue epilogue_;
  float *map_, *sums_, *means_;
  const float* project_weights_;
};

}  // namespace

void inverted_residual(ThreadPool& pool, const InvertedResidualPlan& plan, const InvertedResidualArgs& args) {
  for (Index image = 0; image < plan.shape.window.batch; ++image) Image(pool, plan, args, image).run();
}

}  // namespace linnet::kernels
