#include <algorithm>

#include "kernels/common/chunks.h"
#include "kernels/shuffle/shuffle.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {

void zero_pad(ThreadPool& pool, const PadArgs& args, const float* input, float* output) {
  constexpr Index chunk_floats = 1 << 15;
  const Index row_floats = args.out_width() * args.channels;
  const Index left = std::max<Index>(args.left, 0) * args.channels, skipped = std::max<Index>(-args.left, 0);
  const Index right = std::max<Index>(args.right, 0) * args.channels, kept = row_floats - left - right;
  const Chunks chunks{args.batch * args.out_height(),
                      std::max<Index>(1, chunk_floats / std::max<Index>(row_floats, 1))};
  pool.run(chunks.count(), [&](Index chunk, int) {
    for (Index row = chunks[chunk].begin; row < chunks[chunk].end; ++row) {
      float* to = output + row * row_floats;
      const Index image = row / args.out_height(), y = row % args.out_height() - args.top;
      if (y < 0 || y >= args.height) {
        std::fill_n(to, row_floats, 0.0f);
        continue;
      }
      const float* from = input + ((image * args.height + y) * args.width + skipped) * args.channels;
      std::fill_n(to, left, 0.0f);
      std::copy_n(from, kept, to + left);
      std::fill_n(to + left + kept, right, 0.0f);
    }
  });
}

}  // namespace linnet::kernels
