// Looking variants up by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "architectures/families.h"
#include "linnet/architectures.h"

namespace linnet::architectures {

/// Published ImageNet-1k top-1 accuracy in percent (0: none) and who published it.
struct Published {
  double top1 = 0;
  const char* source = "";
};

/// The entry of a family's table that bears this name, or null. Entries have a field `name`.
template <class Table>
auto find_definition(const Table& table, std::string_view name) -> decltype(&table[0]) {
  for (const auto& definition : table) {
    if (name == definition.name) return &definition;
  }
  return nullptr;
}

/// The public list of a family's table; entries have fields `name` and `published`, and `resolution` or
/// `scale.resolution` if it varies.
template <class Table>
std::vector<Variant> list_variants(const Table& table, const char* family) {
  std::vector<Variant> list;
  for (const auto& definition : table) {
    Index resolution = 224;
    if constexpr (requires { definition.resolution; }) resolution = definition.resolution;
    if constexpr (requires { definition.scale.resolution; }) resolution = definition.scale.resolution;
    list.push_back({.name = definition.name,
                    .family = family,
                    .resolution = resolution,
                    .top1 = definition.published.top1,
                    .source = definition.published.source});
  }
  return list;
}

/// A family that is a table and nothing else; `build` makes the graph of an entry.
template <const auto& table, auto build>
Family table_family(const char* name) {
  return {name, [](const char* family) { return list_variants(table, family); },
          [](std::string_view variant, std::string_view graph_name, const BuildOptions& options) {
            const auto* definition = find_definition(table, variant);
            return definition == nullptr ? std::nullopt : std::optional(build(*definition, graph_name, options));
          }};
}

/// The width of "<prefix>WWW", three digits of percent, above zero.
std::optional<double> width_in_name(std::string_view name, std::string_view prefix);

/// A name with its suffixes taken off: "mobilenetv2_100_97x161_c5" -> "mobilenetv2_100", 97, 161, 5.
struct ParsedName {
  std::string_view variant;
  std::optional<Index> height, width, classes;
};
ParsedName parse_name(std::string_view name);

/// The known names nearest to one that is not, by edit distance.
std::vector<std::string> nearest_names(std::string_view name, const std::vector<Variant>& known, std::size_t count);

}  // namespace linnet::architectures
