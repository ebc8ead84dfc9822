#include "training/trainer/run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "linnet/error.h"
#include "linnet/training/trainer.h"

namespace linnet::training {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_names[] = {"recipe.json", "metrics.jsonl", "checkpoint.safetensors", "model.safetensors",
                                      "classes.json"};

constexpr std::string_view kept_prefix = "checkpoint-epoch-", kept_suffix = ".safetensors";

bool is_kept_checkpoint(std::string_view name) {
  if (!name.starts_with(kept_prefix) || !name.ends_with(kept_suffix)) return false;
  name.remove_prefix(kept_prefix.size());
  name.remove_suffix(kept_suffix.size());
  return name.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Whether this is what a killed process left of writing one of our files.
bool is_half_written(const std::string& name) {
  const std::size_t end = name.find(".tmp-");
  if (end == std::string::npos) return false;
  const std::string file = name.substr(0, end);
  return is_kept_checkpoint(file) ||
         std::find(std::begin(file_names), std::end(file_names), file) != std::end(file_names);
}

[[noreturn]] void fail(const std::string& path, const char* what, int reason) {
  throw Error(path + ": cannot " + what + ": " + std::generic_category().message(reason));
}

}  // namespace

bool holds_run(const std::string& folder) {
  for (const char* name : file_names) {
    std::error_code ignored;
    if (fs::exists(fs::path(folder) / name, ignored)) return true;
  }
  return false;
}

void remove_run(const std::string& folder) {
  for (const char* name : file_names) {
    std::error_code error;
    fs::remove(fs::path(folder) / name, error);
    if (error) throw Error(folder + "/" + name + ": cannot remove: " + error.message());
  }
  RunFolder(folder).keep_only({});
}

RunFolder::RunFolder(std::string path) : path_(std::move(path)) {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw Error(path_ + ": cannot make this folder: " + error.message());
  for (const auto& entry : fs::directory_iterator(path_, error))
    if (is_half_written(entry.path().filename().string())) fs::remove(entry.path(), error);  // else it only takes space
}

std::string RunFolder::checkpoint_of_epoch(Integer epoch) const {
  std::string number = std::to_string(epoch);
  constexpr std::size_t digits = 4;  // so that names sort by epoch
  number.insert(0, number.size() < digits ? digits - number.size() : 0, '0');
  return path_ + "/" + std::string(kept_prefix) + number + std::string(kept_suffix);
}

void RunFolder::keep_only(const std::vector<Integer>& epochs) const {
  std::set<fs::path> kept;
  for (const Integer epoch : epochs) kept.insert(checkpoint_of_epoch(epoch));
  std::error_code ignored;  // what cannot be removed only takes space
  for (const auto& entry : fs::directory_iterator(path_, ignored))
    if (is_kept_checkpoint(entry.path().filename().string()) && !kept.contains(entry.path()))
      fs::remove(entry.path(), ignored);
}

bool RunFolder::has_checkpoint() const {
  std::error_code ignored;
  return fs::exists(checkpoint(), ignored);
}

MetricsLog::MetricsLog(std::string path, Integer size)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666)), size_(size) {
  if (descriptor_ < 0) fail(path_, "open for writing", errno);
  const off_t found = ::lseek(descriptor_, 0, SEEK_END);
  const off_t kept = static_cast<off_t>(size);
  if (found < kept || ::ftruncate(descriptor_, kept) != 0 || ::lseek(descriptor_, kept, SEEK_SET) != kept) {
    const int reason = errno;
    ::close(descriptor_);
    if (found >= kept || found < 0) fail(path_, "cut to the size in the checkpoint", reason);
    throw Error(path_ + ": expected the " + std::to_string(size) + " bytes that the checkpoint goes with, found " +
                std::to_string(found));
  }
}

MetricsLog::~MetricsLog() { ::close(descriptor_); }

void MetricsLog::write(const nlohmann::ordered_json& line) {
  const std::string text = line.dump() + "\n";
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(descriptor_, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) fail(path_, "write", errno);
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  size_ += static_cast<Integer>(text.size());
}

void MetricsLog::sync() {
  if (::fsync(descriptor_) != 0) fail(path_, "sync", errno);
}

}  // namespace linnet::training
