// Running a program of ours as a script would.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "tests/support/temporary_folder.h"

namespace linnet {

struct CommandResult {
  int exit_code = -1;  ///< -1 if a signal ended it
  std::string out, err;
};

/// Runs a shell command; `environment` is put before it ("LINNET_ISA=sse2").
inline CommandResult run_command(const std::string& command, const std::string& environment = "") {
  const TemporaryFolder folder;
  FILE* pipe = popen((environment + " " + command + " 2>'" + folder.file("stderr") + "'").c_str(), "r");
  CommandResult result;
  char buffer[4096];
  for (std::size_t count; (count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) result.out.append(buffer, count);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  result.err = read_file(folder.file("stderr"));
  return result;
}

/// Why a program cannot be run from here (not built; another architecture under emulation), or an empty text.
inline std::string why_not_runnable(const std::string& program) {
  if (!std::filesystem::exists(program)) return program + " was not built";
  const int code = run_command("'" + program + "' --help").exit_code;
  return code == 126 || code == 127 ? program + " cannot be started from here" : "";
}

}  // namespace linnet
