// linnet list [PATTERN]: the networks that Linnet can build.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "linnet/architectures.h"
#include "linnet/summary.h"
#include "text.h"

namespace linnet::tools {
namespace {

struct ListOptions {
  std::string pattern;
  bool json = false;
};

/// `*` matches any text, `?` any character; a pattern without either matches anywhere in the name.
bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '*') {
    return matches(pattern.substr(1), name) || (!name.empty() && matches(pattern, name.substr(1)));
  }
  return !name.empty() && (pattern.front() == '?' || pattern.front() == name.front()) &&
         matches(pattern.substr(1), name.substr(1));
}

std::vector<architectures::Variant> find(const std::string& pattern) {
  const bool wild = pattern.find_first_of("*?") != std::string::npos;
  std::vector<architectures::Variant> found = architectures::variants();
  std::erase_if(found, [&](const architectures::Variant& variant) {
    return wild ? !matches(pattern, variant.name) : variant.name.find(pattern) == std::string::npos;
  });
  return found;
}

std::string accuracy(const architectures::Variant& variant) {
  if (variant.top1 == 0) return "-";
  char text[16];
  std::snprintf(text, sizeof text, "%.2f", variant.top1);
  return text;
}

void run_list(const ListOptions& options) {
  const std::vector<architectures::Variant> found = find(options.pattern);
  if (found.empty()) {
    std::fprintf(stderr, "linnet list: no network matches '%s'\n", options.pattern.c_str());
    throw Failed{};
  }
  nlohmann::json array = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows = {
      {"name", "resolution", "parameters", "MACs", "top-1 %", "published by"}};
  for (const architectures::Variant& variant : found) {
    const Summary counts = summary(architectures::build(variant.name));
    if (options.json) {
      array.push_back({{"name", variant.name},
                       {"resolution", variant.resolution},
                       {"parameters", counts.parameters},
                       {"macs", counts.macs},
                       {"top1", variant.top1 == 0 ? nlohmann::json() : nlohmann::json(variant.top1)},
                       {"source", variant.source}});
    } else {
      rows.push_back({variant.name, std::to_string(variant.resolution), short_count(counts.parameters),
                      short_count(counts.macs), accuracy(variant), variant.source});
    }
  }
  if (options.json) {
    std::printf("%s\n", array.dump(1).c_str());
  } else {
    print_table(rows);
  }
}

}  // namespace

void add_list(CLI::App& app) {
  CLI::App* command = app.add_subcommand("list", "Networks by name: size, cost, published accuracy");
  auto options = std::make_shared<ListOptions>();
  command->add_option("pattern", options->pattern, "Part of the name, or a pattern with * and ?");
  command->add_flag("--json", options->json, "Print a JSON array");
  command->callback([options] { run_list(*options); });
}

}  // namespace linnet::tools
