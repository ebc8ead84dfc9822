#include "training/tracking/comet/payloads.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>

namespace linnet::tracking::comet {

Json number_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json value_json(const std::string& text) {
  Json value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

bool is_system_text(const std::string& name) { return name.starts_with("system."); }

bool is_git_text(const std::string& name) { return name.starts_with("git."); }

Json system_details(const std::map<std::string, std::string>& texts) {
  const auto text = [&texts](const char* name) {
    const auto found = texts.find(name);
    return found == texts.end() ? std::string() : found->second;
  };
  const std::string os = text("system.os");
  return {{"command", Json::array({text("system.command")})},
          {"env", nullptr},
          {"hostname", text("system.hostname")},
          {"ip", ""},
          {"machine", text("system.machine")},
          {"os", os},
          {"os_release", os.substr(std::min(os.size(), os.find(' ') + 1))},
          {"os_type", os.substr(0, os.find(' '))},
          {"pid", std::atoi(text("system.pid").c_str())},
          {"processor", text("system.cpu")},
          {"python_exe", ""},
          {"python_version", ""},
          {"python_version_verbose", ""},
          {"user", text("system.user")}};
}

Json git_metadata(const std::map<std::string, std::string>& texts) {
  const auto text = [&texts](const char* name) {
    const auto found = texts.find(name);
    return found == texts.end() ? Json() : Json(found->second);
  };
  return {{"user", nullptr},
          {"root", nullptr},
          {"branch", text("git.branch")},
          {"parent", text("git.commit")},
          {"origin", text("git.origin")}};
}

std::map<std::string, Json> others(const Run& run) {
  return {{"Name", run.name}, {"Created from", "linnet"}, {"kind", run.kind}};
}

std::string asset_type(const Asset& asset) {
  if (asset.kind == "image") return "visualization";
  if (asset.kind == "histogram") return "histogram3d";
  if (asset.kind == "model") return "model-element";
  return asset.kind == "confusion-matrix" || asset.kind == "curve" ? asset.kind : "asset";
}

std::string asset_key(const Run& run, const Asset& asset) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(asset.id));
  return run.key.substr(0, 16) + digits;
}

Json asset_fields(const Run& run, const Asset& asset) {
  const std::string type = asset_type(asset);
  const std::string extension = std::filesystem::path(asset.name).extension().string();
  Json fields = {{"context", nullptr}, {"step", asset.step ? Json(*asset.step) : Json()}};
  if (asset.epoch) fields["epoch"] = *asset.epoch;
  if (!extension.empty()) fields["extension"] = extension.substr(1);
  fields["overwrite"] = false;
  fields["runId"] = nullptr;
  if (type == "visualization") {
    fields["figName"] = asset.name;
    fields["figCounter"] = 0;
    fields["imageId"] = asset_key(run, asset);
    return fields;
  }
  fields["fileName"] = asset.name;
  fields["assetId"] = asset_key(run, asset);
  if (type != "asset") fields["type"] = type;
  if (type == "model-element") fields["groupingName"] = model_name(run);
  return fields;
}

Json asset_metadata(const Asset& asset) {
  Json metadata = value_json(asset.metadata);
  return metadata.is_object() ? metadata : Json::object();
}

std::string model_name(const Run& run) {
  const auto found = run.texts.find("model");
  return found == run.texts.end() ? run.name : found->second;
}

std::pair<std::string, std::string> registered_name(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return {text, "1.0.0"};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace linnet::tracking::comet
