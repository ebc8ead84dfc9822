# nlohmann/json
linnet_headers(json nlohmann/json.hpp URL https://github.com/nlohmann/json/archive/v3.11.2.tar.gz
               SHA256 d69f9deb6a75e2580465c6c4c5111b89c4dc2fa94e3a85fcd2ffcd9a143d9273 SUBFOLDER include)
