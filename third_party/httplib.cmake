# cpp-httplib
linnet_headers(httplib httplib.h URL https://github.com/yhirose/cpp-httplib/archive/refs/tags/v0.11.4.zip
               SHA256 9d884bee50ded17de3a51d673bb9c2d7d11f101c595b0891830ba9d02e0cc368)
