// The families as the registry sees them. Each has a file of its own.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "linnet/architectures.h"

namespace linnet::architectures {

/// A family lists its variants and builds one of them, called `graph_name`, or nothing if the variant is not its own.
struct Family {
  const char* name;
  std::vector<Variant> (*variants)(const char* family);
  std::optional<Graph> (*build)(std::string_view variant, std::string_view graph_name, const BuildOptions& options);
};

extern const Family mobilenetv1;
extern const Family mobilenetv2;
extern const Family mobilenetv3;
extern const Family mobilenetv4;
extern const Family efficientnet;
extern const Family shufflenetv1;
extern const Family shufflenetv2;
extern const Family squeezenet;
extern const Family nasnet;

}  // namespace linnet::architectures
