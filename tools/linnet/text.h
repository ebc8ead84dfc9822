// Numbers and columns for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace linnet::tools {

/// 3504872 -> "3,504,872"
std::string grouped_digits(std::int64_t value);

/// 3504872 -> "3.50 M", 385814752 -> "386 M"
std::string short_count(std::int64_t value);

/// 1605632 -> "1.53 MiB"
std::string short_bytes(std::int64_t value);

/// Columns padded to their widest cell; the first is left-aligned, columns whose cells are all numbers to the right.
/// The first row is the heading.
void print_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace linnet::tools
