#include "engine/files/safetensors_header.h"

#include <nlohmann/json.hpp>
#include <set>

#include "engine/files/quote.h"
#include "linnet/error.h"

namespace linnet::files {
namespace {

/// Follows the parser event by event, so that duplicate keys, which a JSON tree would swallow, are seen, and nothing
/// but what the format allows is ever stored.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(std::string file) : file_(std::move(file)) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t& text) override { unexpected("the number " + in_quotes(text)); }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::shape) {
      entry_.shape.push_back(value);
    } else if (place_ == Place::range) {
      if (range_size_ == 2) {
        fail("data_offsets has more than 2 numbers");
      }
      entry_.range[range_size_++] = value;
    } else {
      unexpected("a number");
    }
    return true;
  }

  bool string(string_t& text) override {
    if (place_ == Place::metadata) {
      header_.metadata.emplace(field_, std::move(text));
    } else if (place_ == Place::entry && field_ == "dtype") {
      entry_.dtype = std::move(text);
    } else {
      unexpected("the text " + in_quotes(text));
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::start) {
      place_ = Place::top;
    } else if (place_ == Place::top) {
      place_ = key_ == "__metadata__" ? Place::metadata : Place::entry;
      entry_ = {};
      fields_.clear();
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(string_t& text) override {
    if (place_ == Place::top) {
      key_ = std::move(text);
      if (!keys_.insert(key_).second) {
        fail("the key appears twice");
      }
      return true;
    }
    field_ = std::move(text);
    if (!fields_.insert(field_).second) {
      fail("the field " + in_quotes(field_) + " appears twice");
    }
    if (place_ == Place::entry && field_ != "dtype" && field_ != "shape" && field_ != "data_offsets") {
      fail("unknown field " + in_quotes(field_));
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::top) {
      place_ = Place::end;
      return true;
    }
    if (place_ == Place::entry) {
      for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (!fields_.contains(field)) {
          fail(std::string("the field '") + field + "' is missing");
        }
      }
      header_.tensors.emplace(key_, std::move(entry_));
    }
    place_ = Place::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::entry || field_ == "dtype") {
      unexpected("an array");
    }
    place_ = field_ == "shape" ? Place::shape : Place::range;
    range_size_ = 0;
    return true;
  }

  bool end_array() override {
    if (place_ == Place::range && range_size_ != 2) {
      fail("data_offsets has " + std::to_string(range_size_) + " numbers instead of 2");
    }
    place_ = Place::entry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    constexpr std::size_t header_begin = 8;
    throw Error("safetensors file " + in_quotes(file_) + ": the header is not valid JSON near byte " +
                std::to_string(position + header_begin) + (key_.empty() ? "" : ", after the key " + in_quotes(key_)));
  }

 private:
  enum class Place : std::uint8_t { start, top, metadata, entry, shape, range, end };

  [[noreturn]] void fail(const std::string& what) const {
    throw Error("safetensors file " + in_quotes(file_) + ": key " + in_quotes(key_) + ": " + what);
  }

  [[noreturn]] void unexpected(const std::string& found) const {
    if (place_ == Place::start) {
      throw Error("safetensors file " + in_quotes(file_) + ": the header is not an object but " + found);
    }
    static constexpr const char* expected[] = {
        "", "an object", "a text", "a text or an array", "a whole number", "a whole number", ""};
    fail((place_ == Place::top ? "expected " : "field " + in_quotes(field_) + ": expected ") +
         expected[static_cast<std::size_t>(place_)] + ", found " + found);
  }

  std::string file_;
  SafetensorsHeader header_;
  Place place_ = Place::start;
  std::string key_;    ///< of the top object
  std::string field_;  ///< below it
  std::set<std::string> keys_;
  std::set<std::string> fields_;
  TensorEntry entry_;
  std::size_t range_size_ = 0;
};

}  // namespace

SafetensorsHeader parse_header(const std::string& text, const std::string& file) {
  HeaderReader reader(file);
  nlohmann::json::sax_parse(text, &reader);
  return reader.take();
}

}  // namespace linnet::files
