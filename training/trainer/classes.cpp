#include "training/trainer/classes.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

namespace linnet::training {
namespace {

/// Class indices by falling number of training pictures.
std::vector<std::size_t> largest_first(const std::vector<Index>& counts) {
  std::vector<std::size_t> order(counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&counts](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  return order;
}

}  // namespace

std::string class_map_json(const Datasets& data) {
  const std::vector<Index> training = class_counts(*data.train), validation = class_counts(*data.validation);
  nlohmann::ordered_json classes = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < training.size(); ++i)
    classes.push_back(
        {{"index", i}, {"name", data.train->classes()[i]}, {"training", training[i]}, {"validation", validation[i]}});
  // Names of files need not be UTF-8.
  constexpr auto replace = nlohmann::ordered_json::error_handler_t::replace;
  return nlohmann::ordered_json{{"classes", classes}}.dump(1, ' ', false, replace) + "\n";
}

std::string balance_line(const Datasets& data) {
  const std::vector<Index> counts = class_counts(*data.train);
  const std::vector<std::size_t> order = largest_first(counts);
  const auto text = [&](std::size_t i) { return std::to_string(counts[i]) + " (" + data.train->classes()[i] + ")"; };
  if (counts[order.front()] == counts[order.back()])
    return std::to_string(counts.size()) + " classes of " + std::to_string(counts.front()) + " training pictures each";
  return std::to_string(counts.size()) + " classes of " + text(order.back()) + " to " + text(order.front()) +
         " training pictures";
}

std::string balance_table(const Datasets& data) {
  constexpr std::size_t most = 40, ends = 10;
  const std::vector<Index> training = class_counts(*data.train), validation = class_counts(*data.validation);
  std::vector<std::size_t> order = largest_first(training);
  if (order.size() > most)
    order.erase(order.begin() + ends, order.end() - ends);
  else
    std::sort(order.begin(), order.end());
  std::string text;
  for (const std::size_t i : order) {
    char line[160];
    std::snprintf(line, sizeof line, "  %5zu %-40.80s %10td training %8td validation\n", i,
                  data.train->classes()[i].c_str(), training[i], validation[i]);
    text += line;
  }
  if (order.size() < training.size())
    text += "  (the " + std::to_string(ends) + " largest and the " + std::to_string(ends) + " smallest of " +
            std::to_string(training.size()) + " classes)\n";
  return text;
}

std::vector<std::string> empty_classes(const Datasets& data) {
  const std::vector<Index> counts = class_counts(*data.train);
  const auto empty = std::count(counts.begin(), counts.end(), Index{0});
  if (empty == 0) return {};
  const auto first = static_cast<std::size_t>(std::find(counts.begin(), counts.end(), Index{0}) - counts.begin());
  return {std::to_string(empty) + (empty == 1 ? " class has" : " classes have") +
          " no training picture, the first is " + data.train->classes()[first]};
}

}  // namespace linnet::training
