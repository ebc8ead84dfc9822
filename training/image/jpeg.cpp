#include <algorithm>
#include <csetjmp>
#include <cstdio>
// jpeglib.h uses size_t and FILE without including them.
#include <jerror.h>
#include <jpeglib.h>

#include "linnet/error.h"
#include "training/image/codecs.h"

namespace linnet::training {
namespace {

/// libjpeg leaves a function that fails by longjmp. Every method that calls it sets the mark first and keeps nothing
/// with a destructor between the mark and the call.
class JpegReader {
 public:
  explicit JpegReader(std::span<const std::uint8_t> bytes) {
    info_.err = jpeg_std_error(&errors_);
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
    info_.client_data = this;
    if (setjmp(mark_) != 0) {
      jpeg_destroy_decompress(&info_);
      fail();
    }
    jpeg_create_decompress(&info_);
    jpeg_mem_src(&info_, bytes.data(), static_cast<unsigned long>(bytes.size()));
    constexpr unsigned longest_marker = 0xffff;
    jpeg_save_markers(&info_, JPEG_APP0 + 1, longest_marker);
  }

  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  Image read() {
    read_header();
    check_picture_size(info_.image_width, info_.image_height);
    const bool cmyk = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    info_.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    Image image(static_cast<Index>(info_.image_height), static_cast<Index>(info_.image_width), cmyk ? 4 : 3);
    read_rows(image);
    return cmyk ? rgb_from_inverted_cmyk(image) : image;
  }

  int orientation() const {
    for (const jpeg_marker_struct* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
      const int found = exif_orientation({marker->data, marker->data_length});
      if (found != 1) {
        return found;
      }
    }
    return 1;
  }

 private:
  static void on_error(j_common_ptr info) {
    auto* reader = static_cast<JpegReader*>(info->client_data);
    info->err->format_message(info, reader->message_);
    std::longjmp(reader->mark_, 1);
  }

  /// Of the warnings only one means that a part of the picture is missing. The others are common in pictures that
  /// every program shows.
  static void on_message(j_common_ptr info, int level) {
    if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) {
      on_error(info);
    }
  }

  [[noreturn]] void fail() const { throw Error(std::string("damaged JPEG: ") + message_); }

  void read_header() {
    if (setjmp(mark_) != 0) {
      fail();
    }
    jpeg_read_header(&info_, TRUE);
  }

  void read_rows(Image& image) {
    if (setjmp(mark_) != 0) {
      fail();
    }
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = image.row(static_cast<Index>(info_.output_scanline));
      jpeg_read_scanlines(&info_, &row, 1);
    }
  }

  /// Files with four colours hold them inverted, as Adobe's programs write them.
  static Image rgb_from_inverted_cmyk(const Image& cmyk) {
    Image rgb(cmyk.height, cmyk.width, 3);
    const std::uint8_t* from = cmyk.pixels.data();
    for (std::size_t i = 0; i < rgb.pixels.size(); i += 3, from += 4) {
      const int light = from[3];  // 255 - K
      for (std::size_t channel = 0; channel < 3; ++channel) {
        const int product = (255 - from[channel]) * light + 128;
        const int rounded = (product + (product >> 8)) >> 8;  // product / 255
        rgb.pixels[i + channel] = static_cast<std::uint8_t>(std::max(light - rounded, 0));
      }
    }
    return rgb;
  }

  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  std::jmp_buf mark_;
  char message_[JMSG_LENGTH_MAX] = "";
};

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> bytes, Orientation orientation) {
  JpegReader reader(bytes);
  Image image = reader.read();
  return orientation == Orientation::as_tagged ? oriented(image, reader.orientation()) : image;
}

}  // namespace linnet::training
