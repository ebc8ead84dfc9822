// Windows for the tests of sliding-window kernels: symmetric padding, TensorFlow's "SAME" (one more at the bottom and
// right), and none.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/common/window.h"

namespace linnet::kernels::test {

inline std::string describe(const Window& w, Index channels) {
  const auto text = [](Index value) { return std::to_string(value); };
  return text(w.batch) + " x " + text(w.in_height) + "x" + text(w.in_width) + " -> " + text(w.out_height) + "x" +
         text(w.out_width) + ", channels " + text(channels) + ", kernel " + text(w.kernel_height) + "x" +
         text(w.kernel_width) + ", stride " + text(w.stride) + ", dilation " + text(w.dilation) + ", padding " +
         text(w.pad_top) + "," + text(w.pad_left);
}

enum class Padding { symmetric, same, none };

struct WindowSize {
  Index batch, height, width, kernel_height, kernel_width, stride, dilation = 1;
};

/// The window, or one without outputs where the kernel does not fit.
inline Window make_window(const WindowSize& size, Padding padding) {
  Window w;
  w.batch = size.batch;
  w.in_height = size.height;
  w.in_width = size.width;
  w.kernel_height = size.kernel_height;
  w.kernel_width = size.kernel_width;
  w.stride = size.stride;
  w.dilation = size.dilation;
  const auto fit = [&](Index in, Index kernel, Index& out, Index& pad) {
    const Index reach = (kernel - 1) * size.dilation + 1;
    if (padding == Padding::same) {
      out = (in + size.stride - 1) / size.stride;
      pad = std::max<Index>(0, (out - 1) * size.stride + reach - in) / 2;
    } else {
      pad = padding == Padding::symmetric ? reach / 2 : 0;
      const Index room = in + 2 * pad - reach;
      out = room < 0 ? 0 : room / size.stride + 1;
    }
  };
  fit(size.height, size.kernel_height, w.out_height, w.pad_top);
  fit(size.width, size.kernel_width, w.out_width, w.pad_left);
  return w;
}

/// Calls f(output pixel, input pixel, tap) for every product of a convolution with this window.
template <class Function>
void for_each_product(const Window& w, Function&& f) {
  for (Index image = 0; image < w.batch; ++image) {
    for (Index oy = 0; oy < w.out_height; ++oy) {
      for (Index ox = 0; ox < w.out_width; ++ox) {
        for (Index ky = 0; ky < w.kernel_height; ++ky) {
          for (Index kx = 0; kx < w.kernel_width; ++kx) {
            const Index iy = oy * w.stride - w.pad_top + ky * w.dilation;
            const Index ix = ox * w.stride - w.pad_left + kx * w.dilation;
            if (iy < 0 || iy >= w.in_height || ix < 0 || ix >= w.in_width) continue;
            f((image * w.out_height + oy) * w.out_width + ox, (image * w.in_height + iy) * w.in_width + ix,
              ky * w.kernel_width + kx);
          }
        }
      }
    }
  }
}

}  // namespace linnet::kernels::test
