# nlohmann/json (header only)
add_library(linnet_third_party_json INTERFACE)
find_path(LINNET_JSON_INCLUDE_DIR nlohmann/json.hpp  REQUIRED)
target_include_directories(linnet_third_party_json SYSTEM INTERFACE ${LINNET_JSON_INCLUDE_DIR})
