// linnet runs upload: runs of the record to Comet, now or as archives.
#pragma once

#include <string>
#include <vector>

#include "linnet/tracking/comet.h"

namespace linnet::tools {

struct UploadOptions {
  std::string database;
  std::vector<std::string> runs;  ///< names or first digits of keys
  tracking::CometChoice comet;
  bool offline = false;
};

/// Sends one run after the other. Throws linnet::Error, or Failed when what could not be sent was told on stderr.
void upload_runs(const UploadOptions& options);

}  // namespace linnet::tools
