# CLI11: command lines
linnet_headers(cli11 CLI/CLI.hpp URL https://github.com/CLIUtils/CLI11/archive/v2.1.2.tar.gz
               SHA256 26291377e892ba0e5b4972cdfd4a2ab3bf53af8dac1f4ea8fe0d1376b625c8cb SUBFOLDER include)
