// The subcommands of `linnet`. Each function adds one to the command line; its callback does the work and throws
// linnet::Error (exit code 1) or CLI::Error (2).
#pragma once

#include <CLI/CLI.hpp>

namespace linnet::tools {

void add_list(CLI::App& app);
void add_summary(CLI::App& app);
void add_info(CLI::App& app);
void add_plan(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_classify(CLI::App& app);
void add_report(CLI::App& app);
void add_convert(CLI::App& app);
void add_runs(CLI::App& app);
void add_dashboard(CLI::App& app);

/// Thrown by a callback that has reported its problems already: ends the program with exit code 1.
struct Failed {};

}  // namespace linnet::tools
