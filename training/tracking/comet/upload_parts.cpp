// What of a run is sent, in which requests.
#include <algorithm>
#include <utility>

#include "linnet/error.h"
#include "training/tracking/comet/upload.h"

namespace linnet::tracking::comet {
namespace {

constexpr std::size_t values_at_once = 1000, lines_at_once = 500;

/// Names in an archive's "system_details" and those of the route.
constexpr std::pair<const char*, const char*> system_detail_names[] = {
    {"command", "command"}, {"hostname", "hostname"},    {"machine", "machine"},
    {"os", "os"},           {"os_release", "osRelease"}, {"os_type", "osType"},
    {"pid", "pid"},         {"processor", "processor"},  {"user", "user"}};

std::string write_route(const std::string& name) { return "/api/rest/v2/write/experiment/" + name; }

std::string series_mark(const SeriesSummary& series) { return "series:" + std::to_string(series.id); }

/// As it comes back from the server: what is not UTF-8 is replaced.
std::string sent_text(const std::string& text) { return Json::parse(dumped(Json(text))).get<std::string>(); }

std::string query_text(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

bool Upload::send_pending() {
  bool sent = send_facts();
  sent = send_parameters() || sent;
  sent = send_texts() || sent;
  sent = send_tags() || sent;
  while (send_points()) sent = true;
  sent = send_output() || sent;
  sent = send_assets() || sent;
  return register_model() || sent;
}

bool Upload::send_facts() {
  if (outbox_.sent("facts") != 0) return false;
  for (const auto& [key, value] : others(run_))
    deliver(post(write_route("log-other"), {{"key", key}, {"value", value}}), {});
  outbox_.arrived({{"facts", 1}});
  return true;
}

bool Upload::send_parameters() {
  const std::vector<Row> rows = outbox_.pending("parameters", values_at_once);
  if (rows.empty()) return false;
  Json values = Json::array();
  for (const Row& row : rows)
    values.push_back({{"parameterName", row.name},
                      {"parameterValue", value_json(row.value)},
                      {"step", nullptr},
                      {"source", "manual"},
                      {"context", nullptr},
                      {"timestamp", run_.started}});
  Request request = post("/clientlib/batch/logger/experiment/parameter", {{"values", std::move(values)}});
  request.compressed = true;
  request.values = rows.size();
  deliver(request, {{"parameters", rows.back().id}});
  return true;
}

bool Upload::send_texts() {
  const std::vector<Row> rows = outbox_.pending("texts", values_at_once);
  if (rows.empty()) return false;
  look();  // has all of these
  const auto any = [&rows](bool (*is)(const std::string&)) {
    return std::any_of(rows.begin(), rows.end(), [is](const Row& row) { return is(row.name); });
  };
  if (any(is_system_text)) {
    const Json archived = system_details(run_.texts);
    Json details;
    for (const auto& [archive_name, name] : system_detail_names) details[name] = archived[archive_name];
    deliver(post("/clientlib/rest/v2/write/experiment/system-details", details), {});
  }
  if (any(is_git_text)) deliver(post(write_route("git/metadata"), git_metadata(run_.texts)), {});
  for (const Row& row : rows) {
    const Marks marks = {{"texts", row.id}};
    if (is_system_text(row.name) || is_git_text(row.name)) continue;
    if (row.name == "graph")
      deliver_if_taken(post(write_route(row.name), {{"graph", row.value}}), marks);
    else
      deliver_if_taken(post(write_route("log-other"), {{"key", row.name}, {"value", row.value}}), marks);
  }
  outbox_.arrived({{"texts", rows.back().id}});
  return true;
}

bool Upload::send_tags() {
  const std::vector<Row> rows = outbox_.pending("tags", values_at_once);
  if (rows.empty()) return false;
  Json tags = Json::array();
  for (const Row& row : rows) tags.push_back(row.name);
  deliver(post("/clientlib/tags/add-tags-to-experiment", {{"apiKey", settings_.api_key}, {"addedTags", tags}}),
          {{"tags", rows.back().id}});
  return true;
}

bool Upload::send_points() {
  Marks marks;
  Json values = Json::array();
  for (const SeriesSummary& series : run_.series) {
    const std::int64_t sent = outbox_.sent(series_mark(series));
    const auto room = static_cast<std::int64_t>(values_at_once - values.size());
    if (room == 0) break;
    if (series.count <= sent) continue;
    const std::vector<Point> points = record_.points(series.id, sent, room);
    for (const Point& point : points)
      values.push_back({{"metricName", series.name},
                        {"metricValue", number_json(point.value)},
                        {"step", point.step},
                        {"epoch", point.epoch ? Json(*point.epoch) : Json()},
                        {"context", series.context.empty() ? Json() : Json(series.context)},
                        {"timestamp", point.time}});
    if (!points.empty()) marks.push_back({series_mark(series), points.back().place});
  }
  if (marks.empty()) return false;
  const auto count = static_cast<std::int64_t>(values.size());
  Request request = post("/clientlib/batch/logger/experiment/metric", {{"values", std::move(values)}});
  request.compressed = true;
  request.values = static_cast<std::size_t>(count);
  deliver(request, marks, [&] { return points_arrived(marks); });
  progress_.sent += count;
  tell();
  return true;
}

// A request is carried out as a whole: one curve tells. The shortest is soonest read.
bool Upload::points_arrived(const Marks& marks) {
  const Mark& mark =
      *std::min_element(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.upto < b.upto; });
  const auto series = std::find_if(run_.series.begin(), run_.series.end(),
                                   [&](const SeriesSummary& one) { return series_mark(one) == mark.what; });
  if (series == run_.series.end()) return false;
  const std::vector<Point> last = record_.points(series->id, mark.upto - 1, 1);
  if (last.empty()) return false;
  const std::string name = series->context.empty() ? series->name : series->context + "_" + series->name;
  const Reply reply = ask(get("/api/rest/v2/experiment/metrics/get-metric", {{"metricName", name}}));
  if (!reply.json.contains("metrics") || !reply.json["metrics"].is_array()) return false;
  const Json& metrics = reply.json["metrics"];
  return std::any_of(metrics.begin(), metrics.end(), [&](const Json& metric) {
    return metric.is_object() && metric.value("step", Json()) == last.front().step &&
           metric.value("timestamp", Json()) == last.front().time;
  });
}

bool Upload::send_output() {
  bool any = false;
  std::vector<OutputLine> lines = record_.output(run_.id, outbox_.sent("output"));
  std::int64_t offset = outbox_.lines(outbox_.sent("output"));
  for (std::size_t begin = 0; begin < lines.size(); begin += lines_at_once) {
    const std::size_t end = std::min(lines.size(), begin + lines_at_once);
    Json values = Json::array();
    for (std::size_t i = begin; i < end; ++i)
      values.push_back({{"output", lines[i].text},
                        {"stderr", lines[i].error},
                        {"localTimestamp", lines[i].time},
                        {"offset", offset++}});
    Request request = post("/clientlib/rest/v2/write/experiment/output", {{"outputLines", std::move(values)}});
    request.compressed = true;
    request.values = end - begin;
    const std::int64_t last = lines[end - 1].id;
    deliver(request, {{"output", last}}, [this, last] { return output_arrived(last); });
    any = true;
  }
  return any;
}

// Nobody else writes there, so its length tells.
bool Upload::output_arrived(std::int64_t upto) {
  std::size_t expected = 0;
  for (const OutputLine& line : record_.output(run_.id))
    if (line.id <= upto) expected += sent_text(line.text).size();
  const Reply reply = ask(get("/api/rest/v2/experiment/output", {}));
  return reply.json.contains("output") && reply.json["output"].is_string() &&
         reply.json["output"].get<std::string>().size() >= expected;
}

bool Upload::send_assets() {
  const std::vector<Asset> assets = record_.assets(run_.id, outbox_.sent("assets"));
  if (assets.empty()) return false;
  look();  // knows the name of the model
  for (const Asset& asset : assets) send_asset(asset);
  return true;
}

void Upload::send_asset(const Asset& asset) {
  const Marks marks = {{"assets", asset.id}};
  if (asset.kind == "html")
    return deliver_if_taken(post(write_route("html"), {{"html", record_.bytes(asset)}, {"override", true}}), marks);
  const bool image = asset_type(asset) == "visualization";
  Request request;
  request.path = image ? "/clientlib/visualizations/upload" : "/clientlib/asset/upload";
  request.query = {{"experimentId", run_.key}, {"projectId", project_id_}, {"runId", run_id_}};
  const Json fields = asset_fields(run_, asset);
  for (const auto& [name, value] : fields.items())
    if (!value.is_null()) request.query[name] = query_text(value);
  request.file = record_.bytes(asset);
  request.metadata = dumped(asset_metadata(asset));
  deliver_if_taken(request, marks, [&] { return asset_arrived(asset.id); });
}

bool Upload::asset_arrived(std::int64_t id) {
  const std::optional<Asset> asset = record_.asset(id);
  const Reply reply = ask(get("/api/rest/v2/experiment/asset/list", {{"type", "all"}}));
  if (!asset || !reply.json.contains("assets") || !reply.json["assets"].is_array()) return false;
  const Json& assets = reply.json["assets"];
  const std::string key = asset_key(run_, *asset);
  return std::any_of(assets.begin(), assets.end(),
                     [&](const Json& one) { return one.is_object() && one.value("assetId", Json()) == key; });
}

// The same version twice is an error there: what arrived although the answer was lost is refused the next time.
bool Upload::register_model() {
  if (settings_.registered_model.empty()) return false;
  std::int64_t newest = 0;
  for (const Asset& asset : record_.assets(run_.id))
    if (asset.kind == "model") newest = asset.id;
  if (newest <= outbox_.sent("registered")) return false;
  const auto [name, version] = registered_name(settings_.registered_model);
  deliver_if_taken(post("/api/rest/v2/write/registry-model/item/create", {{"experimentModelName", model_name(run_)},
                                                                          {"registryModelName", name},
                                                                          {"version", version},
                                                                          {"publicModel", false}}),
                   {{"registered", newest}});
  return true;
}

void Upload::end() {
  const std::int64_t ended = run_.ended.value_or(run_.heartbeat);
  if (outbox_.sent("end") == ended) return;
  const bool failed = run_.status == "failed";
  deliver(post(write_route("log-other"), {{"key", "status"}, {"value", run_.status}}), {});
  deliver(post(write_route("set-start-end-time"), {{"startTimeMillis", run_.started}, {"endTimeMillis", ended}}), {});
  deliver(post(write_route("update-status"),
               {{"isAlive", false}, {"error", failed ? Json(run_.error) : Json()}, {"hasCrashed", failed}}),
          {});
  if (was_throttled_) ask(get(write_route(run_.key + "/mark-not-throttled"), {}));
  beat(false);
  outbox_.arrived({{"end", ended}});
}

}  // namespace linnet::tracking::comet
