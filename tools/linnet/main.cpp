// linnet: everything that is neither training nor benchmarking, by subcommand.
#include <cstdio>
#include <exception>
#include <string>

#include "commands.h"

int main(int argc, char** argv) {
  CLI::App app("Linnet: lightweight neural nets for embedded CPUs", "linnet");
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 failed, 2 wrong use. `linnet COMMAND --help` tells more.");
  linnet::tools::add_list(app);
  linnet::tools::add_summary(app);
  linnet::tools::add_info(app);
  linnet::tools::add_plan(app);
  linnet::tools::add_evaluate(app);
  linnet::tools::add_classify(app);
  linnet::tools::add_report(app);
  linnet::tools::add_convert(app);
  linnet::tools::add_runs(app);
  linnet::tools::add_dashboard(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::RequiredError& error) {
    const bool unknown = argc > 1 && argv[1][0] != '-' && app.get_subcommands().empty();
    const std::string problem = unknown ? std::string("unknown command '") + argv[1] + "'" : error.what();
    std::fprintf(stderr, "linnet: %s (see linnet --help)\n", problem.c_str());
    return 2;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "linnet: %s (see linnet --help)\n", error.what());
    return 2;
  } catch (const linnet::tools::Failed&) {
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "linnet: %s\n", error.what());
    return 1;
  }
  return 0;
}
