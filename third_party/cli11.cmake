# CLI11: command lines (header only)
add_library(linnet_third_party_cli11 INTERFACE)
find_path(LINNET_CLI11_INCLUDE_DIR CLI/CLI.hpp  REQUIRED)
target_include_directories(linnet_third_party_cli11 SYSTEM INTERFACE ${LINNET_CLI11_INCLUDE_DIR})
