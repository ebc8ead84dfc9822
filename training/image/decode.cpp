#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "linnet/error.h"
#include "training/image/codecs.h"

namespace linnet::training {
namespace {

template <std::size_t Size>
bool begins_with(std::span<const std::uint8_t> bytes, const std::array<std::uint8_t, Size>& signature) {
  return bytes.size() >= Size && std::memcmp(bytes.data(), signature.data(), Size) == 0;
}

Image decode(std::span<const std::uint8_t> bytes, Orientation orientation) {
  if (bytes.empty()) {
    throw Error("the file is empty");
  }
  if (begins_with<3>(bytes, {0xff, 0xd8, 0xff})) {
    return decode_jpeg(bytes, orientation);
  }
  if (begins_with<8>(bytes, {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'})) {
    return decode_png(bytes);
  }
  if (begins_with<2>(bytes, {'P', '5'}) || begins_with<2>(bytes, {'P', '6'})) {
    return decode_netpbm(bytes);
  }
  throw Error("not a JPEG, PNG, PPM or PGM file");
}

}  // namespace

void check_picture_size(std::uint64_t width, std::uint64_t height) {
  constexpr std::uint64_t most_pixels = std::uint64_t{1} << 28;
  if (width == 0 || height == 0 || width > most_pixels || height > most_pixels || width * height > most_pixels) {
    throw Error("a size of " + std::to_string(width) + " x " + std::to_string(height) +
                " pixels; at least 1 and at most 2^28 pixels are allowed");
  }
}

Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name, Orientation orientation) {
  try {
    return decode(bytes, orientation);
  } catch (const Error& error) {
    throw Error("picture '" + name + "': " + error.what());
  }
}

Image read_image(const std::string& path, Orientation orientation) {
  const auto fail = [&path](const std::error_code& error) {
    throw Error("picture '" + path + "': cannot read it: " + error.message());
  };
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) {
    fail(error);
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()))) {
    fail({errno, std::generic_category()});
  }
  return decode_image(bytes, path, orientation);
}

}  // namespace linnet::training
