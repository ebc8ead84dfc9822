# cmake -D NAME=x -D INPUT=FILE -D OUTPUT=FILE.cpp -P embed.cmake
# makes the bytes of a file available as `extern const std::string_view embedded_<name>`.
file(READ ${INPUT} bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT} "#include <string_view>
static const unsigned char bytes[] = {${bytes}};
extern const std::string_view embedded_${NAME};
const std::string_view embedded_${NAME}(reinterpret_cast<const char*>(bytes), ${size});
")
