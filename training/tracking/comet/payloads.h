// What of a run goes to Comet, and in which words: shared by the archive and the uploader.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "linnet/tracking/record.h"

namespace linnet::tracking::comet {

using Json = nlohmann::ordered_json;

/// NaN and infinities are the texts that Comet has for them.
Json number_json(double value);

/// The text with what is not UTF-8 replaced.
std::string dumped(const Json& json);

/// JSON text of the record; a text that is none stays a text.
Json value_json(const std::string& text);

bool is_system_text(const std::string& name);  ///< goes into system_details()
bool is_git_text(const std::string& name);     ///< goes into git_metadata()

/// Fields of the message "system_details" of an archive. Environment variables and addresses are never among them.
Json system_details(const std::map<std::string, std::string>& texts);
Json git_metadata(const std::map<std::string, std::string>& texts);

/// What is known of a run beside its texts: its name, what made it.
std::map<std::string, Json> others(const Run& run);

/// Comet's word for the kind of an asset; "html" is no asset there.
std::string asset_type(const Asset& asset);

/// A name of 32 hexadecimal digits that an asset has for ever.
std::string asset_key(const Run& run, const Asset& asset);

/// Query of an upload, or additional_params of an archive, without the experiment.
Json asset_fields(const Run& run, const Asset& asset);

/// The asset's metadata.
Json asset_metadata(const Asset& asset);

/// The model's name in the list of models of an experiment.
std::string model_name(const Run& run);

/// "name:1.2.0" -> name and version; without a version 1.0.0.
std::pair<std::string, std::string> registered_name(const std::string& text);

}  // namespace linnet::tracking::comet
