#include "benches/bench_models/json.h"

namespace linnet::bench {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

/// A list's members with "; " between, a text as it is, nothing for null.
std::string cell(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const Json& member : value) text += (text.empty() ? "" : "; ") + cell(member);
  return text;
}

/// Objects become columns of their own, "machine_board"; lists of objects are left out.
void flatten(const std::string& name, const Json& value, std::vector<std::pair<std::string, std::string>>& columns) {
  if (value.is_object()) {
    for (const auto& member : value.items()) flatten(name + "_" + member.key(), member.value(), columns);
  } else if (!value.is_array() || value.empty() || !value[0].is_object()) {
    columns.emplace_back(name, quoted(cell(value)));
  }
}

}  // namespace

std::string to_csv(const std::vector<Row>& rows, const Description& machine) {
  // Rows may lack members: accuracy that was not asked for, clocks that cannot be read.
  std::vector<std::string> names;
  std::vector<std::map<std::string, std::string>> lines;
  for (const Json& row : json_rows(rows, machine)) {
    std::vector<std::pair<std::string, std::string>> columns;
    for (const auto& member : row.items()) flatten(member.key(), member.value(), columns);
    for (const auto& column : columns)
      if (std::find(names.begin(), names.end(), column.first) == names.end()) names.push_back(column.first);
    lines.emplace_back(columns.begin(), columns.end());
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  text += '\n';
  for (std::map<std::string, std::string>& line : lines) {
    for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : ",") + line[names[i]];
    text += '\n';
  }
  return text;
}

}  // namespace linnet::bench
