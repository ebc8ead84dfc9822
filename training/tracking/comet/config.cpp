// Where the settings of Comet come from.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "linnet/error.h"
#include "linnet/tracking/comet.h"
#include "training/tracking/comet/base64.h"

namespace linnet::tracking {
namespace {

namespace fs = std::filesystem;

std::string trimmed(const std::string& text, const char* what = " \t\r\n") {
  const std::size_t begin = text.find_first_not_of(what);
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(what) - begin + 1);
}

std::string variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : trimmed(value);
}

/// [comet] api_key and [comet_api] key are both COMET_API_KEY.
std::map<std::string, std::string> read_ini(const fs::path& path) {
  std::map<std::string, std::string> values;
  std::ifstream file(path);
  std::string section;
  for (std::string line; std::getline(file, line);) {
    line = trimmed(line);
    const std::size_t equals = line.find('=');
    if (line.starts_with('[') && line.ends_with(']')) {
      section = trimmed(line.substr(1, line.size() - 2));
    } else if (!line.starts_with('#') && !line.starts_with(';') && equals != std::string::npos) {
      std::string name = section + "_" + trimmed(line.substr(0, equals));
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
      values.emplace(name, trimmed(trimmed(line.substr(equals + 1)), "\"'"));
    }
  }
  return values;
}

std::vector<fs::path> config_files() {
  std::vector<fs::path> files;
  if (const std::string named = variable("COMET_CONFIG"); !named.empty())
    files.push_back(fs::is_directory(named) ? fs::path(named) / ".comet.config" : fs::path(named));
  files.emplace_back(".comet.config");
  if (const std::string home = variable("HOME"); !home.empty()) files.push_back(fs::path(home) / ".comet.config");
  return files;
}

class Values {
 public:
  Values() {
    for (const fs::path& path : config_files()) file_.merge(read_ini(path));  // the first that has a value wins
  }
  std::string operator()(const std::string& name) const {
    if (const std::string value = variable(name); !value.empty()) return value;
    const auto found = file_.find(name);
    return found == file_.end() ? "" : found->second;
  }
  std::string operator()(const std::string& name, const std::string& otherwise) const {
    const std::string value = (*this)(name);
    return value.empty() ? otherwise : value;
  }
  bool flag(const std::string& name, bool otherwise) const {
    std::string value = (*this)(name);
    std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::tolower(c); });
    if (value.empty()) return otherwise;
    for (const char* yes : {"1", "true", "yes", "on"})
      if (value == yes) return true;
    for (const char* no : {"0", "false", "no", "off"})
      if (value == no) return false;
    throw Error(name + ": expected true or false, found '" + value + "'");
  }

 private:
  std::map<std::string, std::string> file_;
};

CometMode mode_of(const std::string& choice, const Values& values) {
  if (choice == "online") return CometMode::online;
  if (choice == "offline") return CometMode::offline;
  if (choice == "disabled") return CometMode::disabled;
  if (!choice.empty() && choice != "auto")
    throw Error("Comet's mode must be auto, online, offline or disabled, found '" + choice + "'");
  if (values("COMET_START_ONLINE").empty()) return CometMode::disabled;
  return values.flag("COMET_START_ONLINE", true) ? CometMode::online : CometMode::offline;
}

/// Keys of servers of one's own may say where that is: KEY*BASE64, {"baseUrl": "https://..."}.
std::string server_of_key(const std::string& key) {
  const std::size_t star = key.find('*');
  if (star == std::string::npos) return "";
  const auto json = nlohmann::json::parse(comet::from_base64(key.substr(star + 1)), nullptr, false);
  const bool fits = json.is_object() && json.contains("baseUrl") && json["baseUrl"].is_string();
  return fits ? json["baseUrl"].get<std::string>() : "";
}

/// "https://host/clientlib/" -> "https://host"
std::string server_root(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  if (url.ends_with("/clientlib")) url.resize(url.size() - 10);
  while (url.ends_with('/')) url.pop_back();
  if (!url.starts_with("https://") && !url.starts_with("http://"))
    throw Error("COMET_URL_OVERRIDE must begin with https:// or http://, found '" + url + "'");
  return url;
}

}  // namespace

CometSettings comet_settings(const CometChoice& choice) {
  const Values values;
  CometSettings settings;
  settings.mode = mode_of(choice.mode, values);
  settings.api_key = values("COMET_API_KEY");
  settings.workspace = choice.workspace.empty() ? values("COMET_WORKSPACE") : choice.workspace;
  settings.project = choice.project.empty() ? values("COMET_PROJECT_NAME") : choice.project;
  settings.registered_model = choice.registered_model;
  const std::string of_key = server_of_key(settings.api_key);
  settings.server = server_root(values("COMET_URL_OVERRIDE", of_key.empty() ? settings.server : of_key));
  settings.check_certificate = values.flag("COMET_INTERNAL_CHECK_TLS_CERTIFICATE", true);
  settings.archive_folder = values("COMET_OFFLINE_DIRECTORY", settings.archive_folder);
  if (!std::all_of(settings.api_key.begin(), settings.api_key.end(), [](char c) { return c > ' ' && c < 127; }))
    throw Error("COMET_API_KEY holds characters that no key has");
  if (settings.project.size() >= 100) throw Error("the name of a project on Comet has less than 100 characters");
  if (settings.mode == CometMode::online && settings.api_key.empty())
    throw Error("Comet needs a key: set COMET_API_KEY, or api_key in .comet.config (docs/tracking.md)");
  return settings;
}

}  // namespace linnet::tracking
