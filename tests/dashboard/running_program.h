// A program of ours, or one that a test needs, in the background.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace linnet {

class RunningProgram {
 public:
  /// Output and messages go to one file, see printed().
  explicit RunningProgram(const std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    const std::string log = folder_.file("log");
    child_ = fork();
    if (child_ != 0) return;
    const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    execvp(pointers[0], pointers.data());
    _exit(127);
  }
  ~RunningProgram() {
    if (child_ > 0) end(SIGKILL);
  }
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  std::string printed() const { return read_file(folder_.file("log")); }

  /// What is printed behind `mark` up to the end of the word; waits for it. Empty if it does not come.
  std::string word_behind(const std::string& mark) const {
    for (int i = 0; i < 3000; ++i, std::this_thread::sleep_for(std::chrono::milliseconds(10))) {
      const std::string text = printed();
      const std::size_t at = text.find(mark), end = text.find_first_of(" \n", at + mark.size());
      if (at != std::string::npos && end != std::string::npos)
        return text.substr(at + mark.size(), end - at - mark.size());
    }
    return "";
  }

  /// Sends a signal and waits: the exit code, or minus the signal that ended it.
  int end(int signal) {
    kill(child_, signal);
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  const TemporaryFolder folder_;
  pid_t child_ = -1;
};

}  // namespace linnet
