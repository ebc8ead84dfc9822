#include "kernels/common/enum_names.h"
#include "linnet/ops.h"

namespace linnet {
namespace {

constexpr kernels::EnumNames<Initial, 10> initial_names{{
    {Initial::normal_fan_out, "normal_fan_out"},
    {Initial::normal_fan_out_all, "normal_fan_out_all"},
    {Initial::normal_channels, "normal_channels"},
    {Initial::normal_hundredth, "normal_hundredth"},
    {Initial::truncated_nine_hundredth, "truncated_nine_hundredth"},
    {Initial::truncated_fan_out, "truncated_fan_out"},
    {Initial::uniform_fan_in, "uniform_fan_in"},
    {Initial::uniform_fan_out, "uniform_fan_out"},
    {Initial::he_uniform, "he_uniform"},
    {Initial::glorot_uniform, "glorot_uniform"},
}};

}  // namespace

std::string_view to_string(Initial initial) { return kernels::name_of(initial_names, initial, "initial distribution"); }

Initial initial_from_string(std::string_view text) {
  return kernels::value_of(initial_names, text, "initial distribution");
}

}  // namespace linnet
