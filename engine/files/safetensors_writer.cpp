#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/files/atomic_file.h"
#include "engine/files/quote.h"
#include "linnet/error.h"
#include "linnet/safetensors.h"

namespace linnet {
namespace {

using files::in_quotes;

constexpr std::size_t header_alignment = 64;

bool is_counter(const std::string& key) { return key.ends_with("num_batches_tracked"); }

std::int64_t counter_value(const std::string& path, const std::string& key, const Tensor& tensor) {
  const bool scalar = tensor.shape().empty() && !tensor.empty();
  const float value = scalar ? *tensor.data() : 0;
  if (!scalar || !(std::fabs(value) <= 0x1p24f) || value != std::floor(value)) {
    throw Error("cannot write " + in_quotes(path) + ": key " + in_quotes(key) +
                " should be a scalar and a whole number");
  }
  return static_cast<std::int64_t>(value);
}

/// Keys in the order of their data: int64 first, so that everything is aligned.
std::vector<std::string> data_order(const Weights& tensors) {
  std::vector<std::string> order;
  for (const bool counters : {true, false}) {
    for (const auto& [key, tensor] : tensors) {
      if (is_counter(key) == counters) {
        order.push_back(key);
      }
    }
  }
  return order;
}

std::string header_text(const std::string& path, const Weights& tensors, const std::vector<std::string>& order,
                        const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) {
    header["__metadata__"] = metadata;
  }
  std::uint64_t offset = 0;
  for (const std::string& key : order) {
    const Tensor& tensor = tensors.at(key);
    if (key == "__metadata__" || tensor.empty()) {
      throw Error("cannot write " + in_quotes(path) + ": key " + in_quotes(key) +
                  (tensor.empty() ? " holds no tensor" : " is reserved by the format"));
    }
    const std::uint64_t end =
        offset + (is_counter(key) ? sizeof(std::int64_t) : static_cast<std::uint64_t>(tensor.size()) * sizeof(float));
    header[key] = {
        {"dtype", is_counter(key) ? "I64" : "F32"}, {"shape", tensor.shape()}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw Error("cannot write " + in_quotes(path) + ": a key or the metadata is not valid UTF-8");
  }
  const std::size_t unpadded = sizeof(std::uint64_t) + text.size();
  text.append((header_alignment - unpadded % header_alignment) % header_alignment, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::string& path, const Weights& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::vector<std::string> order = data_order(tensors);
  const std::string header = header_text(path, tensors, order, metadata);
  const std::uint64_t length = header.size();
  files::AtomicFile file(path);
  file.write(&length, sizeof length);
  file.write(header.data(), header.size());
  for (const std::string& key : order) {
    const Tensor& tensor = tensors.at(key);
    if (is_counter(key)) {
      const std::int64_t value = counter_value(path, key, tensor);
      file.write(&value, sizeof value);
    } else {
      file.write(tensor.data(), static_cast<std::size_t>(tensor.size()) * sizeof(float));
    }
  }
  file.commit();
}

}  // namespace linnet
