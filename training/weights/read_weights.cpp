#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>

#include "engine/files/quote.h"
#include "linnet/error.h"
#include "linnet/safetensors.h"
#include "linnet/training/weights.h"
#include "training/weights/torch_file.h"

namespace linnet::training {
namespace {

using pickle::TensorView;
using pickle::Value;

float from_half(std::uint16_t bits) {
  const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent == 31)
    return fraction != 0 ? std::bit_cast<float>(0x7fc00000u) : sign * std::numeric_limits<float>::infinity();
  if (exponent == 0) return sign * static_cast<float>(fraction) * 0x1p-24f;
  return sign * static_cast<float>(1024 + fraction) *
         std::bit_cast<float>(static_cast<std::uint32_t>(exponent - 25 + 127) << 23);
}

template <class Stored>
float stored(const char* place) {
  Stored value;
  std::memcpy(&value, place, sizeof value);
  return static_cast<float>(value);
}

using Reader = float (*)(const char* place);

Reader reader_of(const std::string& storage_type) {
  static const std::map<std::string, Reader> readers = {{"FloatStorage", stored<float>},
                                                        {"DoubleStorage", stored<double>},
                                                        {"LongStorage", stored<std::int64_t>},
                                                        {"IntStorage", stored<std::int32_t>},
                                                        {"ShortStorage", stored<std::int16_t>},
                                                        {"CharStorage", stored<std::int8_t>},
                                                        {"ByteStorage", stored<std::uint8_t>},
                                                        {"BoolStorage", stored<std::uint8_t>},
                                                        {"HalfStorage",
                                                         [](const char* place) {
                                                           std::uint16_t bits = 0;
                                                           std::memcpy(&bits, place, sizeof bits);
                                                           return from_half(bits);
                                                         }},
                                                        {"BFloat16Storage", [](const char* place) {
                                                           std::uint16_t bits = 0;
                                                           std::memcpy(&bits, place, sizeof bits);
                                                           return std::bit_cast<float>(std::uint32_t{bits} << 16);
                                                         }}};
  return readers.at(storage_type);
}

/// Copies a view of any strides to a dense tensor.
Tensor tensor_of(const TensorView& view, std::span<const char> bytes, const std::string& key) {
  constexpr std::size_t most_dimensions = 8;
  const auto fail = [&](const std::string& what) { throw Error("tensor " + files::in_quotes(key) + ": " + what); };
  if (view.shape.size() != view.strides.size() || view.shape.size() > most_dimensions) {
    fail("expected as many strides as extents and at most 8, found " + std::to_string(view.strides.size()) + " and " +
         std::to_string(view.shape.size()));
  }
  Shape shape;
  std::int64_t last = view.offset;  // the largest element that the view reaches
  for (std::size_t i = 0; i < view.shape.size(); ++i) {
    constexpr std::int64_t most = std::int64_t{1} << 31;
    if (view.shape[i] < 0 || view.shape[i] >= most || view.strides[i] < 0 || view.strides[i] >= most) {
      fail("an extent or a stride out of range");
    }
    shape.push_back(static_cast<Index>(view.shape[i]));
    last += (view.shape[i] - 1) * view.strides[i];
    if (last > (std::int64_t{1} << 60)) fail("it reaches beyond its storage");
  }
  const Index size = element_count(shape);
  if (size > view.storage.elements) fail("it has more values than its storage");
  if (size > 0 && (view.offset < 0 || last < 0 || last >= view.storage.elements)) {
    fail("it reaches beyond its storage of " + std::to_string(view.storage.elements) + " elements");
  }
  Tensor tensor(shape);
  const std::size_t width = element_size(view.storage.type);
  const Reader read = reader_of(view.storage.type);
  std::vector<std::int64_t> position(shape.size());
  std::int64_t element = view.offset;
  for (Index i = 0; i < size; ++i) {
    tensor.data()[i] = read(bytes.data() + static_cast<std::size_t>(element) * width);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      element += view.strides[axis];
      if (++position[axis] < view.shape[axis]) break;
      element -= view.shape[axis] * view.strides[axis];
      position[axis] = 0;
    }
  }
  return tensor;
}

bool holds_tensors(const Value& value) {
  const auto* dictionary = std::get_if<std::shared_ptr<pickle::Dictionary>>(&value);
  if (dictionary == nullptr || (*dictionary)->pairs.empty()) return false;
  for (const auto& [key, item] : (*dictionary)->pairs) {
    if (!std::holds_alternative<std::string>(key) || !std::holds_alternative<TensorView>(item)) return false;
  }
  return true;
}

Weights state_dict_of(const TorchFile& file, const std::string& path) {
  const Value* found = holds_tensors(file.root) ? &file.root : nullptr;
  for (const char* key : {"state_dict", "model", "model_state_dict"}) {
    const Value* inner = file.root.find(key);
    if (found == nullptr && inner != nullptr && holds_tensors(*inner)) found = inner;
  }
  if (found == nullptr) {
    throw Error(path +
                ": expected a dictionary of tensors, or one under \"state_dict\", \"model\" or "
                "\"model_state_dict\"");
  }
  Weights weights;
  std::map<std::string, std::vector<char>> storages;
  for (const auto& [key, value] : std::get<std::shared_ptr<pickle::Dictionary>>(*found)->pairs) {
    const auto& name = std::get<std::string>(key);
    const auto& view = std::get<TensorView>(value);
    auto storage = storages.find(view.storage.key);
    if (storage == storages.end()) storage = storages.emplace(view.storage.key, file.bytes_of(view.storage)).first;
    if (storage->second.size() != static_cast<std::uint64_t>(view.storage.elements) * element_size(view.storage.type)) {
      throw Error(path + ": tensor " + files::in_quotes(name) + " sees another size of its storage than others do");
    }
    try {
      weights.insert_or_assign(name, tensor_of(view, storage->second, name));
    } catch (const Error& error) {
      throw Error(path + ": " + error.what());
    }
  }
  return weights;
}

std::vector<char> read_file(const std::string& path, std::size_t most) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(path + ": cannot be opened: " + std::strerror(errno));
  std::vector<char> bytes;
  constexpr std::size_t piece = 1 << 20;
  while (stream && bytes.size() < most) {
    const std::size_t before = bytes.size(), wanted = std::min(piece, most - before);
    bytes.resize(before + wanted);
    stream.read(bytes.data() + before, static_cast<std::streamsize>(wanted));
    bytes.resize(before + static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad()) throw Error(path + ": cannot be read: " + std::strerror(errno));
  return bytes;
}

}  // namespace

Weights read_weights(const std::string& path) {
  const std::vector<char> beginning = read_file(path, 64);
  if (is_zip(beginning)) return state_dict_of(read_torch_zip(path), path);
  if (is_legacy_torch(beginning)) {
    const std::vector<char> bytes = read_file(path, SIZE_MAX);
    return state_dict_of(read_legacy_torch(bytes, path), path);
  }
  return read_safetensors(path).tensors;
}

}  // namespace linnet::training
