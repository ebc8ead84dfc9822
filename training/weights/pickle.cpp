#include "training/weights/pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#include "engine/files/quote.h"
#include "linnet/error.h"
#include "training/weights/pickle_stack.h"

namespace linnet::training::pickle {
namespace {

/// Opcodes by their names in pickletools. What is not here is refused.
enum Opcode : unsigned char {
  proto = 0x80,
  frame = 0x95,
  stop = '.',
  mark = '(',
  none = 'N',
  new_true = 0x88,
  new_false = 0x89,
  bin_int = 'J',
  bin_int1 = 'K',
  bin_int2 = 'M',
  long1 = 0x8a,
  bin_float = 'G',
  bin_unicode = 'X',
  short_bin_unicode = 0x8c,
  bin_string = 'T',
  short_bin_string = 'U',
  empty_tuple = ')',
  tuple = 't',
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  empty_list = ']',
  append = 'a',
  appends = 'e',
  empty_dict = '}',
  set_item = 's',
  set_items = 'u',
  bin_put = 'q',
  long_bin_put = 'r',
  memoize = 0x94,
  bin_get = 'h',
  long_bin_get = 'j',
  global = 'c',
  stack_global = 0x93,
  bin_persistent_id = 'Q',
  reduce = 'R',
  build = 'b',
};

constexpr std::string_view storage_types[] = {"FloatStorage", "HalfStorage", "BFloat16Storage", "DoubleStorage",
                                              "LongStorage",  "IntStorage",  "ShortStorage",    "CharStorage",
                                              "ByteStorage",  "BoolStorage"};
constexpr std::string_view storage_prefix = "torch.";
constexpr std::string_view known_globals[] = {"collections.OrderedDict", "torch._utils._rebuild_tensor",
                                              "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter",
                                              "torch.Size"};

bool is_storage(std::string_view name) {
  return name.starts_with(storage_prefix) && std::find(std::begin(storage_types), std::end(storage_types),
                                                       name.substr(storage_prefix.size())) != std::end(storage_types);
}

[[noreturn]] void fail(const std::string& what) { throw Error(what); }

class Machine {
 public:
  explicit Machine(std::span<const char> bytes) : bytes_(bytes) {}

  /// `name` is for messages.
  Value run(const std::string& name) {
    while (true) {
      const std::size_t opcode_at = position_;
      try {
        const auto opcode = static_cast<unsigned char>(take(1)[0]);
        if (opcode == stop) return stack_.pop();
        step(opcode);
      } catch (const Error& error) {
        throw Error(name + ": pickle, byte " + std::to_string(opcode_at) + ": " + error.what());
      }
    }
  }

  std::size_t position() const { return position_; }

 private:
  std::string_view take(std::size_t count) {
    if (count > bytes_.size() - position_) fail("the file ends in the middle of a value");
    const std::string_view taken(bytes_.data() + position_, count);
    position_ += count;
    return taken;
  }

  /// Little-endian.
  template <class Integer>
  Integer number() {
    Integer value = 0;
    const std::string_view bytes = take(sizeof value);
    for (std::size_t i = sizeof value; i-- > 0;) {
      value = static_cast<Integer>(static_cast<Integer>(value << 8) | static_cast<unsigned char>(bytes[i]));
    }
    return value;
  }

  std::string line() {
    const std::string_view rest(bytes_.data() + position_, bytes_.size() - position_);
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) fail("the file ends in the middle of a name");
    return std::string(take(end + 1).substr(0, end));
  }

  std::int64_t long_number() {
    const std::string_view bytes = take(number<std::uint8_t>());
    if (bytes.size() > 8) fail("a whole number of more than 64 bits");
    std::uint64_t value = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
    return static_cast<std::int64_t>(value);
  }
  double real() {
    std::uint64_t bits = 0;
    for (const char byte : take(8)) bits = (bits << 8) | static_cast<unsigned char>(byte);
    return std::bit_cast<double>(bits);
  }

  void push_global(const std::string& name) {
    const bool known = std::find(std::begin(known_globals), std::end(known_globals), name) != std::end(known_globals);
    if (!known && !is_storage(name)) fail("refused the global " + files::in_quotes(name));
    stack_.push(Global{name});
  }

  std::string text(const Value& value, const char* what) const {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) fail(std::string("expected ") + what + " as a text");
    return *text;
  }

  std::int64_t integer(const Value& value, const char* what) const {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr) fail(std::string("expected ") + what + " as a whole number");
    return *number;
  }

  const Items& tuple_of(const Value& value, std::size_t least, const char* what) const {
    const auto* list = std::get_if<std::shared_ptr<List>>(&value);
    if (list == nullptr || (*list)->items.size() < least) fail(std::string("expected ") + what + " as a tuple");
    return (*list)->items;
  }

  std::vector<std::int64_t> integers(const Value& value, const char* what) const {
    std::vector<std::int64_t> numbers;
    for (const Value& item : tuple_of(value, 0, what)) numbers.push_back(integer(item, what));
    return numbers;
  }

  /// ("storage", type, key, place, elements, ...)
  void push_storage(const Value& identity) {
    const Items& parts = tuple_of(identity, 5, "the identity of a storage");
    if (text(parts[0], "the kind of an outside value") != "storage")
      fail("refused an outside value that is no storage");
    const auto* type = std::get_if<Global>(&parts[1]);
    if (type == nullptr || !is_storage(type->name)) fail("expected the type of a storage");
    stack_.push(Storage{type->name.substr(storage_prefix.size()), text(parts[2], "the key of a storage"),
                        integer(parts[4], "the size of a storage")});
  }

  void call(const Value& function, const Value& arguments) {
    const auto* global = std::get_if<Global>(&function);
    if (global == nullptr) fail("refused a call of something that is no global");
    if (global->name == "collections.OrderedDict") {
      if (!tuple_of(arguments, 0, "arguments").empty()) fail("refused arguments of collections.OrderedDict");
      stack_.push_dictionary();
    } else if (global->name == "torch.Size") {
      stack_.push(tuple_of(arguments, 1, "arguments")[0]);
    } else if (global->name == "torch._utils._rebuild_parameter") {
      stack_.push(tuple_of(arguments, 1, "arguments")[0]);
    } else if (global->name.starts_with("torch._utils._rebuild_tensor")) {
      const Items& parts = tuple_of(arguments, 4, "arguments of a tensor");
      const auto* storage = std::get_if<Storage>(&parts[0]);
      if (storage == nullptr) fail("expected the storage of a tensor");
      stack_.push(TensorView{*storage, integer(parts[1], "an offset"), integers(parts[2], "a shape"),
                             integers(parts[3], "strides")});
    } else {
      fail("refused a call of " + global->name);
    }
  }

  void step(unsigned char opcode) {
    switch (opcode) {
      case proto:
        if (number<std::uint8_t>() > 5) fail("a protocol newer than 5");
        break;
      case frame:
        take(8);
        break;
      case mark:
        stack_.mark();
        break;
      case none:
        stack_.push({});
        break;
      case new_true:
      case new_false:
        stack_.push(opcode == new_true);
        break;
      case bin_int:
        stack_.push(std::int64_t{static_cast<std::int32_t>(number<std::uint32_t>())});
        break;
      case bin_int1:
        stack_.push(std::int64_t{number<std::uint8_t>()});
        break;
      case bin_int2:
        stack_.push(std::int64_t{number<std::uint16_t>()});
        break;
      case long1:
        stack_.push(long_number());
        break;
      case bin_float:
        stack_.push(real());
        break;
      case bin_unicode:
      case bin_string:
        stack_.push(std::string(take(number<std::uint32_t>())));
        break;
      case short_bin_unicode:
      case short_bin_string:
        stack_.push(std::string(take(number<std::uint8_t>())));
        break;
      case empty_tuple:
        stack_.push_list({}, true);
        break;
      case tuple:
        stack_.push_list(stack_.pop_to_mark(), true);
        break;
      case tuple1:
      case tuple2:
      case tuple3:
        stack_.push_list(stack_.pop_some(opcode - tuple1 + 1u), true);
        break;
      case empty_list:
        stack_.push_list({}, false);
        break;
      case append:
        stack_.append_to_top(stack_.pop_some(1));
        break;
      case appends:
        stack_.append_to_top(stack_.pop_to_mark());
        break;
      case empty_dict:
        stack_.push_dictionary();
        break;
      case set_item:
        stack_.set_in_top(stack_.pop_some(2));
        break;
      case set_items:
        stack_.set_in_top(stack_.pop_to_mark());
        break;
      case bin_put:
        stack_.put(number<std::uint8_t>());
        break;
      case long_bin_put:
        stack_.put(number<std::uint32_t>());
        break;
      case memoize:
        stack_.memoize();
        break;
      case bin_get:
        stack_.get(number<std::uint8_t>());
        break;
      case long_bin_get:
        stack_.get(number<std::uint32_t>());
        break;
      case global: {
        const std::string module = line();
        push_global(module + "." + line());
        break;
      }
      case stack_global: {
        const Items names = stack_.pop_some(2);
        push_global(text(names[0], "a module") + "." + text(names[1], "a name"));
        break;
      }
      case bin_persistent_id:
        push_storage(stack_.pop());
        break;
      case reduce: {
        const Items parts = stack_.pop_some(2);
        call(parts[0], parts[1]);
        break;
      }
      case build:
        // The attributes of an OrderedDict (PyTorch's _metadata: versions of modules). They are not needed.
        stack_.pop();
        if (!stack_.top_is_dictionary()) fail("refused to set attributes of anything but a dictionary");
        break;
      default: {
        constexpr char digits[] = "0123456789abcdef";
        fail(std::string("refused the opcode 0x") + digits[opcode >> 4] + digits[opcode & 15]);
      }
    }
  }

  std::span<const char> bytes_;
  std::size_t position_ = 0;
  Stack stack_;
};

}  // namespace

const Value* Value::find(std::string_view key) const {
  const auto* dictionary = std::get_if<std::shared_ptr<Dictionary>>(this);
  if (dictionary == nullptr) return nullptr;
  for (const auto& [name, value] : (*dictionary)->pairs) {
    const auto* text = std::get_if<std::string>(&name);
    if (text != nullptr && *text == key) return &value;
  }
  return nullptr;
}

Value read(std::span<const char>& bytes, const std::string& name) {
  Machine machine(bytes);
  Value value = machine.run(name);
  bytes = bytes.subspan(machine.position());
  return value;
}

}  // namespace linnet::training::pickle
