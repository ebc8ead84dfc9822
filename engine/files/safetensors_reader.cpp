#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "engine/files/byte_source.h"
#include "engine/files/quote.h"
#include "engine/files/safetensors_header.h"
#include "engine/files/safetensors_reader.h"
#include "linnet/error.h"
#include "linnet/safetensors.h"

namespace linnet {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian and read as they are");

using files::in_quotes;
using files::TensorEntry;

constexpr std::uint64_t length_bytes = 8;            // of the header's length, at the start of a file
constexpr std::uint64_t largest_header = 100000000;  // the format's own limit

std::uint64_t element_bytes(const std::string& dtype) {
  if (dtype == "F32") {
    return 4;
  }
  if (dtype == "F16" || dtype == "BF16") {
    return 2;
  }
  return dtype == "I64" ? 8 : 0;
}

float float_from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

float float_from_f16(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1fu;
  const std::uint32_t fraction = bits & 0x3ffu;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide_exponent = exponent == 0x1f ? 0xffu : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide_exponent << 23) | (fraction << 13));
}

class Reader {
 public:
  Reader(const files::ByteSource& source, std::string name) : source_(source), name_(std::move(name)) {}

  SafetensorsFile read() {
    files::SafetensorsHeader header = files::parse_header(header_text(), name_);
    check_tiling(header);
    SafetensorsFile result;
    for (const auto& [key, entry] : header.tensors) {
      result.tensors.emplace(key, read_tensor(key, entry));
    }
    result.metadata = std::move(header.metadata);
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error("safetensors file " + in_quotes(name_) + ": " + what);
  }
  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    fail("key " + in_quotes(key) + ": " + what);
  }

  std::string header_text() {
    const std::uint64_t size = source_.size();
    if (size < length_bytes) {
      fail("truncated: " + std::to_string(size) + " bytes, the header's length alone takes 8");
    }
    std::uint64_t length = 0;
    source_.read(0, &length, sizeof length);
    if (length > largest_header) {
      fail("the header's length, bytes 0 to 7, is " + std::to_string(length) + "; at most 100000000 is allowed");
    }
    if (length > size - length_bytes) {
      fail("truncated: the header should take " + std::to_string(length) + " bytes, only " +
           std::to_string(size - length_bytes) + " follow byte 8");
    }
    std::string text(static_cast<std::size_t>(length), '\0');
    source_.read(length_bytes, text.data(), text.size());
    if (text.empty() || text.front() != '{') {
      fail("the header does not begin with '{' at byte 8");
    }
    // The JSON parser would take a zero byte for the end of its input.
    if (const std::size_t zero = text.find('\0'); zero != std::string::npos) {
      fail("the header has a zero byte at byte " + std::to_string(length_bytes + zero));
    }
    data_begin_ = length_bytes + length;
    data_size_ = size - data_begin_;
    return text;
  }

  /// The ranges, in order of their position, must follow one another from the first byte of the data to the last.
  void check_tiling(const files::SafetensorsHeader& header) const {
    std::vector<std::pair<const std::string*, const TensorEntry*>> entries;
    for (const auto& [key, entry] : header.tensors) {
      check_entry(key, entry);
      entries.emplace_back(&key, &entry);
    }
    std::sort(entries.begin(), entries.end(),
              [](const auto& left, const auto& right) { return left.second->range < right.second->range; });
    std::uint64_t end = 0;
    for (const auto& [key, entry] : entries) {
      if (entry->range[0] != end) {
        fail(*key, "its data begins at offset " + std::to_string(entry->range[0]) +
                       (entry->range[0] < end ? ", which overlaps the tensor before it, that ends at "
                                              : ", which leaves a hole after the tensor before it, that ends at ") +
                       std::to_string(end));
      }
      end = entry->range[1];
    }
    if (end != data_size_) {
      fail("the tensors take " + std::to_string(end) + " bytes of data, the file has " + std::to_string(data_size_) +
           (end > data_size_ ? " (truncated)" : " (trailing bytes)"));
    }
  }

  void check_entry(const std::string& key, const TensorEntry& entry) const {
    const std::uint64_t element = element_bytes(entry.dtype);
    if (element == 0 || (entry.dtype == "I64" && !entry.shape.empty())) {
      fail(key, "dtype " + in_quotes(entry.dtype) + " is not supported: F32, F16, BF16 are, and I64 for scalars");
    }
    const auto [begin, end] = entry.range;
    if (begin > end || end > data_size_) {
      fail(key, "data_offsets [" + std::to_string(begin) + ", " + std::to_string(end) +
                    "] are no range within the data of " + std::to_string(data_size_) + " bytes");
    }
    if (begin % element != 0) {
      fail(key, "its data is misaligned: offset " + std::to_string(begin) + " for dtype " + entry.dtype);
    }
    std::uint64_t bytes = element;
    for (const std::uint64_t extent : entry.shape) {
      if (extent > static_cast<std::uint64_t>(std::numeric_limits<Index>::max()) ||
          (extent != 0 && bytes > std::numeric_limits<std::uint64_t>::max() / extent)) {
        fail(key, "its shape is too large");
      }
      bytes *= extent;
    }
    if (bytes != end - begin) {
      fail(key, "shape and dtype need " + std::to_string(bytes) + " bytes, data_offsets give " +
                    std::to_string(end - begin));
    }
  }

  Tensor read_tensor(const std::string& key, const TensorEntry& entry) const {
    const std::uint64_t begin = data_begin_ + entry.range[0];
    const auto bytes = static_cast<std::size_t>(entry.range[1] - entry.range[0]);
    const Shape shape(entry.shape.begin(), entry.shape.end());
    if (entry.dtype == "F32" && begin % sizeof(float) == 0) {
      if (Tensor values = source_.values(shape, begin); !values.empty()) {
        return values;
      }
    }
    Tensor tensor(shape);
    if (entry.dtype == "F32") {
      source_.read(begin, tensor.data(), bytes);
      return tensor;
    }
    if (entry.dtype == "I64") {
      std::int64_t value = 0;
      source_.read(begin, &value, sizeof value);
      constexpr std::int64_t exact_in_float = 1 << 24;
      if (value < -exact_in_float || value > exact_in_float) {
        fail(key, "the I64 value " + std::to_string(value) + " has no exact float");
      }
      *tensor.data() = static_cast<float>(value);
      return tensor;
    }
    std::vector<std::uint16_t> half(bytes / sizeof(std::uint16_t));
    source_.read(begin, half.data(), bytes);
    std::transform(half.begin(), half.end(), tensor.data(), entry.dtype == "F16" ? float_from_f16 : float_from_bf16);
    return tensor;
  }

  const files::ByteSource& source_;
  std::string name_;
  std::uint64_t data_begin_ = 0;
  std::uint64_t data_size_ = 0;
};

}  // namespace

namespace files {

SafetensorsFile read_safetensors(const ByteSource& source, const std::string& name) {
  return Reader(source, name).read();
}

}  // namespace files

SafetensorsFile read_safetensors(const std::string& path) {
  return files::read_safetensors(files::FileSource(path), path);
}

SafetensorsFile parse_safetensors(const void* data, std::size_t size, const std::string& name) {
  return files::read_safetensors(files::MemorySource(data, size), name);
}

}  // namespace linnet
