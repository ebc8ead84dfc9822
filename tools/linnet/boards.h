// What bench_models measured on boards, for the page of `linnet report`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace linnet::tools {

/// `boards` (a file each) and `rows` (of all of them) of files that `bench_models --json` wrote. Each row gets the
/// place of its `board`, its `bytes` on disk, and the accuracy that was measured, else the one that was published, with
/// its `top1_source`. Throws linnet::Error for any other file.
nlohmann::json boards_json(const std::vector<std::string>& files);

}  // namespace linnet::tools
