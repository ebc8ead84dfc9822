// Graphs as JSON text:
//
//   {"version": 2, "name": "mobilenetv2_100", "nodes": [{"name": "input", "op": "input", "inputs": [], "height": 224,
//   ...}, {"name": "conv_stem", "op": "conv2d", "inputs": [0], "out_channels": 32, "kernel": 3, ...}, ...], "outputs":
//   [146]}
//
// The fields of an op stand beside its name, all of them. A padding is its amount or "same". Shapes are inferred.
// Version 1 is read, too: it lacks what says how first weights are drawn, and the last node is the output.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string_view>

#include "engine/files/quote.h"
#include "engine/graph/op_fields.h"
#include "linnet/error.h"
#include "linnet/graph.h"

namespace linnet {

namespace {

using nlohmann::json;

constexpr int oldest_version = 1;
constexpr int newest_version = 2;
constexpr int deepest_nesting = 4;  // text, nodes, node, inputs
constexpr std::size_t longest_name = 1024;

class FieldWriter {
 public:
  explicit FieldWriter(json& object) : object_(object) {}

  void operator()(const char* name, Index value, FieldRange) { object_[name] = value; }
  void operator()(const char* name, bool value, FieldRange) { object_[name] = value; }
  void operator()(const char* name, Activation value, FieldRange) { object_[name] = to_string(value); }
  void operator()(const char* name, Initial value, FieldRange) { object_[name] = to_string(value); }

  void operator()(const char* name, const Padding& value, FieldRange) {
    if (value.rule == Padding::Rule::same) {
      object_[name] = "same";
    } else {
      object_[name] = value.amount;
    }
  }

  /// In the fewest digits that give the same float back.
  void operator()(const char* name, float value, FieldRange) {
    char text[64];
    const auto written = std::to_chars(text, text + sizeof text, value);
    double shortest = 0;
    std::from_chars(text, written.ptr, shortest);
    object_[name] = shortest;
  }

 private:
  json& object_;
};

/// Takes the fields of one JSON object, each exactly once.
class FieldReader {
 public:
  FieldReader(const json& object, std::string place, int text_version = newest_version)
      : object_(object), place_(std::move(place)), version_(text_version) {
    if (!object.is_object()) throw Error(place_ + ": expected an object, found " + describe(object));
  }

  const json& take(const char* name) {
    const auto found = object_.find(name);
    if (found == object_.end()) throw Error(place_ + ": the field \"" + name + "\" is missing");
    taken_.emplace_back(name);
    return *found;
  }

  void expect_no_more() const {
    if (taken_.size() == object_.size()) return;
    for (const auto& [name, value] : object_.items()) {
      if (std::find(taken_.begin(), taken_.end(), name) == taken_.end()) {
        throw Error(place_ + ": unknown field " + files::in_quotes(name));
      }
    }
  }

  std::string take_name(const char* name) {
    const json& value = take(name);
    if (!value.is_string()) fail(name, "a string", value);
    const auto& text = value.get_ref<const std::string&>();
    const bool readable =
        std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; });
    if (text.empty() || text.size() > longest_name || !readable) {
      fail(name, "1 to " + std::to_string(longest_name) + " bytes without control characters", value);
    }
    return text;
  }

  std::int64_t take_integer(const char* name, double least, double most) {
    return integer(name, take(name), least, most);
  }

  std::vector<int> take_indices(const char* name, std::size_t end) {
    const json& value = take(name);
    if (!value.is_array()) fail(name, "a list of node indices", value);
    std::vector<int> indices;
    for (const json& entry : value) indices.push_back(static_cast<int>(integer(name, entry, 0, double(end) - 1)));
    return indices;
  }

  template <class Field>
  void operator()(const char* name, Field& field, FieldRange range) {
    if (version_ >= range.since) read(name, field, range);
  }

  [[noreturn]] void fail(const char* name, const std::string& expected, const json& found) const {
    throw Error(place_ + ", field \"" + name + "\": expected " + expected + ", found " + describe(found));
  }

 private:
  void read(const char* name, Index& field, FieldRange range) {
    field = static_cast<Index>(take_integer(name, range.least, range.most));
  }

  void read(const char* name, bool& field, FieldRange) {
    const json& value = take(name);
    if (!value.is_boolean()) fail(name, "true or false", value);
    field = value.get<bool>();
  }

  void read(const char* name, float& field, FieldRange range) {
    const json& value = take(name);
    if (!value.is_number()) fail(name, "a number", value);
    const auto number = value.get<double>();
    // Written so that a value that is not a number fails too.
    if (!(number >= range.least && number <= range.most)) fail(name, range_text(range.least, range.most), value);
    field = static_cast<float>(number);
  }

  void read(const char* name, Activation& field, FieldRange) {
    field = named(name, "the name of an activation", activation_from_string);
  }

  void read(const char* name, Initial& field, FieldRange) {
    field = named(name, "the name of an initial distribution", initial_from_string);
  }

  void read(const char* name, Padding& field, FieldRange range) {
    const json& value = take(name);
    field = Padding{};
    if (value == "same") {
      field.rule = Padding::Rule::same;
    } else {
      field.amount = static_cast<Index>(integer(name, value, range.least, range.most));
    }
  }

  /// What `from_string` makes of a text.
  template <class Value>
  Value named(const char* name, const char* expected, Value (*from_string)(std::string_view)) {
    const json& value = take(name);
    if (!value.is_string()) fail(name, expected, value);
    try {
      return from_string(value.get_ref<const std::string&>());
    } catch (const std::invalid_argument&) {
      fail(name, expected, value);
    }
  }

  static std::string describe(const json& value) {
    if (value.is_string()) return files::in_quotes(value.get_ref<const std::string&>());
    if (value.is_structured()) return std::string("an ") + value.type_name();
    return value.dump();
  }

  static std::string range_text(double least, double most) {
    return "a number from " + json(least).dump() + " to " + json(most).dump();
  }

  std::int64_t integer(const char* name, const json& value, double least, double most) const {
    if (!value.is_number_integer()) fail(name, "a whole number", value);
    const auto number = value.get<double>();
    if (number < least || number > most) fail(name, range_text(least, most), value);
    return value.get<std::int64_t>();
  }

  const json& object_;
  std::string place_;
  int version_;
  std::vector<std::string_view> taken_;
};

/// The op with this name and these fields.
Op read_op(const std::string& name, FieldReader& fields) {
  Op result;
  bool found = false;
  const auto try_type = [&]<class T>(std::in_place_type_t<T>) {
    if (name != OpFields<T>::name) return;
    T op;
    OpFields<T>::visit(op, fields);
    result = op;
    found = true;
  };
  const auto try_types = [&]<class... T>(std::in_place_type_t<std::variant<T...>>) {
    (try_type(std::in_place_type<T>), ...);
  };
  try_types(std::in_place_type<Op>);
  if (!found) fields.fail("op", "the name of an operation", name);
  return result;
}

/// Refuses what a lenient parser would let pass: duplicate keys, and nesting that no graph has.
json parse_strictly(const std::string& text) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&keys](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) {
      if (keys.size() >= std::size_t{deepest_nesting}) throw Error("graph: the JSON text is nested too deeply");
      keys.emplace_back();
    } else if (event == json::parse_event_t::object_end || event == json::parse_event_t::array_end) {
      keys.pop_back();
    } else if (event == json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys.back().insert(key).second) throw Error("graph: the field " + files::in_quotes(key) + " stands twice");
    }
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::exception& error) {
    throw Error("graph: not valid JSON: " + files::in_quotes(error.what()));
  }
}

}  // namespace

std::string to_json(const Graph& graph) {
  json nodes = json::array();
  for (const Node& node : graph.nodes) {
    json object{{"name", node.name}, {"op", op_name(node.op)}, {"inputs", node.inputs}};
    std::visit([&]<class T>(const T& op) { OpFields<T>::visit(op, FieldWriter(object)); }, node.op);
    nodes.push_back(std::move(object));
  }
  try {
    return json{{"version", newest_version},
                {"name", graph.name},
                {"nodes", std::move(nodes)},
                {"outputs", graph.output_nodes()}}
        .dump();
  } catch (const json::exception&) {
    throw Error("graph: expected names in UTF-8, found other bytes in one of them");
  }
}

Graph graph_from_json(const std::string& text) {
  const json document = parse_strictly(text);
  FieldReader top(document, "graph");
  const auto text_version = static_cast<int>(top.take_integer("version", oldest_version, newest_version));
  Graph graph;
  graph.name = top.take_name("name");
  const json& nodes = top.take("nodes");
  if (!nodes.is_array() || nodes.empty() || nodes.size() > limit::nodes) {
    throw Error("graph, field \"nodes\": expected a list of 1 to " + std::to_string(limit::nodes) + " nodes, found " +
                (nodes.is_array() ? std::to_string(nodes.size()) : nodes.type_name()));
  }
  graph.nodes.reserve(nodes.size());
  for (const json& object : nodes) {
    FieldReader fields(object, "graph, node " + std::to_string(graph.nodes.size()), text_version);
    Node node;
    node.name = fields.take_name("name");
    node.inputs = fields.take_indices("inputs", graph.nodes.size());
    const json& op = fields.take("op");
    if (!op.is_string()) fields.fail("op", "the name of an operation", op);
    node.op = read_op(op.get_ref<const std::string&>(), fields);
    fields.expect_no_more();
    graph.nodes.push_back(std::move(node));
  }
  if (text_version > 1) {
    graph.outputs = top.take_indices("outputs", graph.nodes.size());
    if (graph.outputs.empty()) top.fail("outputs", "at least one node", json::array());
    const int last = static_cast<int>(graph.nodes.size()) - 1;
    if (graph.outputs == std::vector{last}) graph.outputs.clear();
  }
  top.expect_no_more();
  infer_shapes(graph);
  return graph;
}

}  // namespace linnet
