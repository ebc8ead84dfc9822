#include "boards.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "linnet/architectures.h"
#include "linnet/error.h"
#include "linnet/summary.h"

namespace linnet::tools {
namespace {

nlohmann::json read_rows(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) throw Error("cannot read " + file);
  nlohmann::json rows = nlohmann::json::parse(stream, nullptr, false);
  const auto is_row = [](const nlohmann::json& row) {
    return row.is_object() && row.contains("model") && row["model"].is_string() && row.contains("median_ms") &&
           row["median_ms"].is_number() && row.contains("threads") && row.contains("batch");
  };
  if (!rows.is_array() || rows.empty() || !std::all_of(rows.begin(), rows.end(), is_row))
    throw Error(file + ": expected the rows that bench_models --json writes");
  return rows;
}

std::string machine_text(const nlohmann::json& machine, const char* key) {
  const auto value = machine.find(key);
  return value != machine.end() && value->is_string() ? value->get<std::string>() : "";
}

/// The board, else its processor, else the file's name. Files of earlier versions do not tell the machine.
nlohmann::json board_of(const nlohmann::json& row, const std::string& file) {
  nlohmann::json board = row.value("machine", nlohmann::json::object());
  std::string name = machine_text(board, "board");
  if (name.empty()) name = machine_text(board, "cpu");
  const std::string stem = std::filesystem::path(file).stem().string();
  board["name"] = name.empty() ? stem : name;
  board["file"] = stem;
  board["isa"] = row.value("isa", "");
  return board;
}

/// Boards of one name are told apart by their files.
void make_names_distinct(nlohmann::json& boards) {
  std::map<std::string, int> seen;
  for (const nlohmann::json& board : boards) ++seen[board["name"]];
  for (nlohmann::json& board : boards)
    if (seen[board["name"]] > 1)
      board["name"] = board["name"].get<std::string>() + " (" + board["file"].get<std::string>() + ")";
}

/// What the rows of a network of this name do not say: how large its file is, and how accurate it is.
class Networks {
 public:
  void complete(nlohmann::json& row) {
    const std::string name = row["model"];
    const bool measured = row.contains("top1");
    row["top1_source"] = measured ? "measured on the board" : published_[name].source;
    if (!measured) row["top1"] = published_[name].top1 > 0 ? nlohmann::json(published_[name].top1) : nlohmann::json();
    row["bytes"] = row.contains("file_bytes") && row["file_bytes"].is_number() ? row["file_bytes"] : bytes(name);
  }

 private:
  /// Of a file of 32-bit weights; null for a name that this version does not know.
  nlohmann::json bytes(const std::string& name) {
    const auto known = bytes_.find(name);
    if (known != bytes_.end()) return known->second;
    nlohmann::json result;
    try {
      result = 4 * summary(architectures::build(name)).parameters;
    } catch (const Error&) {
      result = nullptr;
    }
    return bytes_[name] = result;
  }

  static std::map<std::string, architectures::Variant> by_name() {
    std::map<std::string, architectures::Variant> result;
    for (const architectures::Variant& variant : architectures::variants()) result[variant.name] = variant;
    return result;
  }

  std::map<std::string, architectures::Variant> published_ = by_name();
  std::map<std::string, nlohmann::json> bytes_;
};

}  // namespace

nlohmann::json boards_json(const std::vector<std::string>& files) {
  nlohmann::json boards = nlohmann::json::array(), rows = nlohmann::json::array();
  Networks networks;
  for (const std::string& file : files) {
    nlohmann::json rows_of_file = read_rows(file);
    const std::size_t board = boards.size();
    boards.push_back(board_of(rows_of_file[0], file));
    for (nlohmann::json& row : rows_of_file) {
      row.erase("machine");
      row["board"] = board;
      networks.complete(row);
      rows.push_back(std::move(row));
    }
  }
  make_names_distinct(boards);
  return {{"boards", boards}, {"rows", rows}};
}

}  // namespace linnet::tools
