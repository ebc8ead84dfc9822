#include "pass_option.h"

#include "linnet/compile.h"

namespace linnet::tools {

void add_pass_option(CLI::App& command, std::vector<std::string>& disabled_passes) {
  std::string known;
  for (const std::string& name : pass_names()) known += " " + name;
  const auto check = [known](const std::string& pass) {
    return (known + " ").find(" " + pass + " ") != std::string::npos ? std::string()
                                                                     : "unknown pass '" + pass + "'; there are" + known;
  };
  command.add_option("--disable-pass", disabled_passes, "Passes of the compiler to leave out, for debugging:" + known)
      ->type_name("PASS,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Validator(check, "", "pass"));
}

}  // namespace linnet::tools
