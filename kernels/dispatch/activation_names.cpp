#include "kernels/common/enum_names.h"
#include "linnet/types.h"

namespace linnet {
namespace {

constexpr kernels::EnumNames<Activation, 8> names{{
    {Activation::none, "none"},
    {Activation::relu, "relu"},
    {Activation::relu6, "relu6"},
    {Activation::hard_swish, "hard_swish"},
    {Activation::hard_sigmoid, "hard_sigmoid"},
    {Activation::silu, "silu"},
    {Activation::sigmoid, "sigmoid"},
    {Activation::gelu, "gelu"},
}};

}  // namespace

std::string_view to_string(Activation activation) { return kernels::name_of(names, activation, "activation"); }

Activation activation_from_string(std::string_view text) { return kernels::value_of(names, text, "activation"); }

}  // namespace linnet
