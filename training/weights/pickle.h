// Python's pickle format, as far as state dicts need it. See pickletools.py for the opcodes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace linnet::training::pickle {

class Value;
using Items = std::vector<Value>;
using Pairs = std::vector<std::pair<Value, Value>>;

/// A class or function, by name only.
struct Global {
  std::string name;  ///< "torch._utils._rebuild_tensor_v2"
};

/// A reference to the data of one or more tensors, kept outside of the pickle.
struct Storage {
  std::string type;  ///< "FloatStorage"
  std::string key;
  std::int64_t elements = 0;
};

/// A view of a storage, in elements.
struct TensorView {
  Storage storage;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape, strides;
};

struct List {
  Items items;
  bool is_tuple = false;
};

struct Dictionary {
  Pairs pairs;
};

/// Containers are shared, as Python's are.
class Value : public std::variant<std::monostate, bool, std::int64_t, double, std::string, Global, Storage, TensorView,
                                  std::shared_ptr<List>, std::shared_ptr<Dictionary>> {
 public:
  using variant::variant;
  const Value* find(std::string_view key) const;  ///< in a dictionary; null if it is none or has no such key
};

/// Reads one pickle from the front of `bytes` and removes it. Throws linnet::Error that begins with `name` and tells
/// the offset and the opcode or global that it does not accept.
Value read(std::span<const char>& bytes, const std::string& name);

}  // namespace linnet::training::pickle
