#include "training/tracking/comet/upload.h"

#include "linnet/error.h"
#include "training/tracking/store.h"

namespace linnet::tracking::comet {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Of Comet's Python client, whose requests these are.
constexpr const char* protocol_version = "3.58.8";
constexpr int experiment_exists = 90999;

std::string text_or(const Json& json, const char* name, const std::string& otherwise) {
  return json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : otherwise;
}

}  // namespace

Upload::Upload(const std::string& database, const Run& run, const CometSettings& settings, const CometPace& pace,
               Client& client, Sleeper& sleeper, std::function<void(const Progress&)> report)
    : record_(database),
      run_(run),
      settings_(settings),
      client_(client),
      outbox_(database, run.id),
      pace_(pace, sleeper),
      settle_seconds_(pace.settle_seconds),
      report_(std::move(report)) {}

void Upload::work() {
  connect();
  settle_doubts();
  for (;;) {
    look();
    if (send_pending()) continue;
    if (run_.status != "running") return end();
    pace_.idle();
    if (SteadyClock::now() >= next_beat_) beat();
  }
}

void Upload::look() {
  const std::optional<Run> run = record_.run(run_.id);
  if (!run) throw Error("run " + run_.name + " was deleted");
  run_ = *run;
}

// The experiment has the run's own key. One that exists although this run was never sent came from an archive: sending
// it again would show every value twice.
void Upload::connect() {
  std::optional<Destination> known = outbox_.destination();
  const auto other = [](const std::string& wanted, const std::string& is) { return !wanted.empty() && wanted != is; };
  if (known && (known->server != settings_.server || other(settings_.workspace, known->workspace) ||
                other(settings_.project, known->project)))
    throw Error("run " + run_.name + " is on " + known->server + " already, workspace '" + known->workspace +
                "', project '" + known->project + "'");
  bool may_exist = known.has_value();
  if (!known) known = Destination{settings_.server, settings_.workspace, settings_.project, ""};
  outbox_.set_destination(*known);
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  const Request create = {.path = "/clientlib/logger/add/run",
                          .body = {{"apiKey", settings_.api_key},
                                   {"local_timestamp", now_ms()},
                                   {"experimentKey", run_.key},
                                   {"offline", false},
                                   {"projectName", or_null(known->project)},
                                   {"teamName", or_null(known->workspace)},
                                   {"libVersion", protocol_version},
                                   {"getOrCreateEnabled", false}}};
  Reply reply = send(create);
  for (; reply.outcome != Outcome::done && reply.outcome != Outcome::refused; reply = send(create)) {
    may_exist = may_exist || reply.outcome == Outcome::unknown;
    wait_after(reply);
  }
  if (reply.outcome == Outcome::refused && !may_exist) outbox_.forget_destination();
  if (reply.code == experiment_exists && !may_exist)
    throw Error("run " + run_.name + " is on " + known->server + " already, from an archive it seems; not sent again");
  if (reply.code == experiment_exists)
    reply = ask({.path = "/clientlib/logger/get/run",
                 .body = {{"apiKey", settings_.api_key},
                          {"local_timestamp", now_ms()},
                          {"previousExperiment", run_.key},
                          {"libVersion", protocol_version}}});
  if (reply.outcome == Outcome::refused) throw Refused(reply);
  run_id_ = text_or(reply.json, "runId", "");
  project_id_ = text_or(reply.json, "project_id", "");
  const std::string page = text_or(reply.json, "focusUrl", "");
  known->link = page.empty() ? "" : page + run_.key;
  outbox_.set_destination(*known);
  progress_.link = known->link;
  tell();
}

// What another process sent without learning its fate.
void Upload::settle_doubts() {
  Marks points;
  for (const Mark& mark : outbox_.in_doubt()) {
    if (mark.what.starts_with("series:"))
      points.push_back(mark);
    else if (mark.what == "output")
      settle({mark}, [this, mark] { return output_arrived(mark.upto); });
    else if (mark.what == "assets")
      settle({mark}, [this, mark] { return asset_arrived(mark.upto); });
  }
  if (!points.empty()) settle(points, [&] { return points_arrived(points); });
}

Reply Upload::deliver(const Request& request, const Marks& marks, const Check& arrived) {
  for (;;) {
    if (arrived) outbox_.begin(marks);
    Reply reply = send(request);
    switch (reply.outcome) {
      case Outcome::done:
        outbox_.arrived(marks);
        return reply;
      case Outcome::refused:
        outbox_.withdraw(marks);
        throw Refused(reply);
      case Outcome::throttled:
      case Outcome::not_sent:
        outbox_.withdraw(marks);
        break;
      case Outcome::unknown:
        break;
    }
    wait_after(reply);
    if (reply.outcome == Outcome::unknown && arrived && settle(marks, arrived)) return reply;
  }
}

void Upload::deliver_if_taken(const Request& request, const Marks& marks, const Check& arrived) {
  try {
    deliver(request, marks, arrived);
  } catch (const Refused& refused) {
    if (refused.status >= 401 && refused.status <= 403) throw;
    progress_.left_out.push_back(refused.what());
    outbox_.arrived(marks);
  }
}

bool Upload::settle(const Marks& marks, const Check& arrived) {
  const auto end = SteadyClock::now() + std::chrono::duration<double>(settle_seconds_);
  while (!arrived()) {
    if (SteadyClock::now() >= end) {
      outbox_.withdraw(marks);
      return false;
    }
    pace_.before_next_look();
  }
  outbox_.arrived(marks);
  return true;
}

Reply Upload::ask(const Request& request) {
  for (;;) {
    Reply reply = send(request);
    if (reply.outcome == Outcome::done || reply.outcome == Outcome::refused) return reply;
    wait_after(reply);
  }
}

Reply Upload::send(const Request& request) {
  if (SteadyClock::now() >= next_beat_) beat();
  pace_.wait_for_turn(request.values);
  Reply reply = client_.send(request);
  const bool failed = reply.outcome != Outcome::done && reply.outcome != Outcome::refused;
  failures_ = failed ? failures_ + 1 : 0;
  was_throttled_ = was_throttled_ || reply.outcome == Outcome::throttled;
  progress_.problem = failed ? reply.problem : "";
  tell();
  return reply;
}

void Upload::wait_after(const Reply& reply) {
  if (reply.outcome == Outcome::throttled || reply.wait_seconds >= 0)
    pace_.throttled(reply.wait_seconds);
  else
    pace_.back_off(failures_);
}

// An experiment is shown as running while these come. One that is lost does not matter.
void Upload::beat(bool alive) {
  constexpr double seconds_unless_told = 10;
  next_beat_ = SteadyClock::now() +
               std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(seconds_unless_told));
  if (run_id_.empty() || (alive && run_.status != "running")) return;
  const Reply reply = client_.send({.path = "/clientlib/status-report/update",
                                    .body = {{"apiKey", settings_.api_key},
                                             {"runId", run_id_},
                                             {"experimentKey", run_.key},
                                             {"projectId", project_id_},
                                             {"is_alive", alive},
                                             {"local_timestamp", now_ms()},
                                             {"offline", false}}});
  if (reply.json.contains("is_alive_beat_duration_millis") && reply.json["is_alive_beat_duration_millis"].is_number())
    next_beat_ =
        SteadyClock::now() + std::chrono::milliseconds(reply.json["is_alive_beat_duration_millis"].get<std::int64_t>());
}

void Upload::tell() {
  progress_.left = 0;
  for (const SeriesSummary& series : run_.series)
    progress_.left += series.count - outbox_.sent("series:" + std::to_string(series.id));
  report_(progress_);
}

Request Upload::post(const std::string& path, Json body) const {
  body["experimentKey"] = run_.key;
  return {.path = path, .body = std::move(body)};
}

Request Upload::get(const std::string& path, std::map<std::string, std::string> query) const {
  query["experimentKey"] = run_.key;
  return {.path = path, .query = std::move(query)};
}

}  // namespace linnet::tracking::comet
