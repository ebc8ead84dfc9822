#include <png.h>

#include <csetjmp>
#include <cstring>

#include "linnet/error.h"
#include "training/image/codecs.h"

namespace linnet::training {
namespace {

/// libpng leaves a function that fails by longjmp. Every method that calls it sets the mark first and keeps nothing
/// with a destructor between the mark and the call.
class PngReader {
 public:
  explicit PngReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, &info_, nullptr);
      throw Error("no memory for reading a PNG");
    }
    png_set_read_fn(png_, this, on_read);
  }

  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  Image read() {
    read_header();
    const auto width = png_get_image_width(png_, info_);
    const auto height = png_get_image_height(png_, info_);
    check_picture_size(width, height);
    convert_to_rgb();
    Image image(static_cast<Index>(height), static_cast<Index>(width), 3);
    std::vector<png_bytep> rows;
    for (Index y = 0; y < image.height; ++y) {
      rows.push_back(image.row(y));
    }
    read_rows(rows.data());
    return image;
  }

 private:
  static void on_error(png_structp png, png_const_charp message) {
    auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(reader->message_, message, sizeof reader->message_ - 1);
    std::longjmp(reader->mark_, 1);
  }

  /// Warnings are about parts that do not change a pixel.
  static void on_warning(png_structp, png_const_charp) {}

  static void on_read(png_structp png, png_bytep destination, std::size_t count) {
    auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > reader->bytes_.size() - reader->position_) {
      png_error(png, "the file is cut off");
    }
    std::memcpy(destination, reader->bytes_.data() + reader->position_, count);
    reader->position_ += count;
  }

  [[noreturn]] void fail() const { throw Error(std::string("damaged PNG: ") + message_); }

  void read_header() {
    if (setjmp(mark_) != 0) {
      fail();
    }
    png_read_info(png_, info_);
  }

  /// From any kind of PNG to 8-bit RGB; no gamma, no colour profile, no blending.
  void convert_to_rgb() {
    if (setjmp(mark_) != 0) {
      fail();
    }
    const int colour = png_get_color_type(png_, info_);
    png_set_strip_16(png_);
    if (colour == PNG_COLOR_TYPE_PALETTE) {
      png_set_palette_to_rgb(png_);
    } else if ((colour & PNG_COLOR_MASK_COLOR) == 0) {
      png_set_expand_gray_1_2_4_to_8(png_);
      png_set_gray_to_rgb(png_);
    }
    png_set_strip_alpha(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != 3 * static_cast<std::size_t>(png_get_image_width(png_, info_))) {
      png_error(png_, "its pixels cannot be converted to RGB");
    }
  }

  void read_rows(png_bytepp rows) {
    if (setjmp(mark_) != 0) {
      fail();
    }
    png_read_image(png_, rows);
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf mark_;
  char message_[200] = "";
};

}  // namespace

Image decode_png(std::span<const std::uint8_t> bytes) { return PngReader(bytes).read(); }

std::string encode_png(const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&header, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0)
    throw Error("a picture of " + std::to_string(image.height) + " x " + std::to_string(image.width) +
                " does not become a PNG: " + header.message);
  bytes.resize(size);
  return bytes;
}

}  // namespace linnet::training
