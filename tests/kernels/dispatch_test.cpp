#include "kernels/dispatch/dispatch.h"

#include <gtest/gtest.h>

#include <set>

#include "linnet/types.h"

namespace linnet {
namespace {

constexpr Isa every_isa[] = {Isa::scalar, Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon, Isa::neon32};

TEST(Isa, NamesAreDistinct) {
  std::set<std::string_view> names;
  for (const Isa isa : every_isa) names.insert(to_string(isa));
  EXPECT_EQ(names.size(), std::size(every_isa));
  EXPECT_THROW(to_string(static_cast<Isa>(99)), std::invalid_argument);
}

TEST(Isa, SupportedOnesEndWithScalar) {
  ASSERT_FALSE(supported_isas().empty());
  EXPECT_EQ(supported_isas().back(), Isa::scalar);
  // Every CPU of the architecture has these; LINNET_EVERY_ISA: so does the build.
#if defined(__x86_64__)
#ifdef LINNET_EVERY_ISA
  EXPECT_TRUE(kernels::is_supported(Isa::sse2));
#endif
  EXPECT_FALSE(kernels::is_supported(Isa::neon));
#elif defined(__aarch64__)
#ifdef LINNET_EVERY_ISA
  EXPECT_TRUE(kernels::is_supported(Isa::neon));
#endif
  EXPECT_FALSE(kernels::is_supported(Isa::avx2));
#endif
}

TEST(Isa, RequestsAreHonouredOrRefused) {
  EXPECT_EQ(kernels::choose_isa(""), supported_isas().front());
  for (const Isa isa : every_isa) {
    SCOPED_TRACE(to_string(isa));
    if (kernels::is_supported(isa)) {
      EXPECT_EQ(kernels::choose_isa(to_string(isa)), isa);
      continue;
    }
    try {
      kernels::choose_isa(to_string(isa));
      ADD_FAILURE() << "accepted";
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find("not supported"), std::string::npos) << error.what();
    }
  }
  try {
    kernels::choose_isa("avx3");
    FAIL() << "accepted";
  } catch (const std::runtime_error& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("avx3"), std::string::npos) << message;
    EXPECT_NE(message.find("unknown"), std::string::npos) << message;
    for (const Isa isa : supported_isas()) EXPECT_NE(message.find(to_string(isa)), std::string::npos) << message;
  }
}

TEST(Isa, EnvironmentDecides) {
  const char* request = std::getenv("LINNET_ISA");
  EXPECT_EQ(selected_isa(), kernels::choose_isa(request == nullptr ? "" : request));
}

TEST(Isa, SelectTakesTheBestAtOrBelowTheSelectedOne) {
  const int values[] = {0, 1, 2};
  const Isa selected = selected_isa();
  const kernels::Variant<int> with[] = {{selected, &values[0]}, {Isa::scalar, &values[1]}};
  EXPECT_EQ(&kernels::select<int>(with), &values[0]);
  // A family that lacks the selected instruction set falls back, and never up to one that is not supported.
  const kernels::Variant<int> without[] = {{Isa::scalar, &values[2]}};
  EXPECT_EQ(&kernels::select<int>(without), &values[2]);
#if defined(__x86_64__)
  const kernels::Variant<int> better[] = {
      {Isa::avx512, &values[0]}, {Isa::avx2, &values[1]}, {Isa::scalar, &values[2]}};
  const int expected = selected == Isa::avx512 ? 0 : selected == Isa::avx2 ? 1 : 2;
  EXPECT_EQ(kernels::select<int>(better), expected);
#endif
}

TEST(ActivationNames, ThereAndBack) {
  for (int i = 0; i <= static_cast<int>(Activation::gelu); ++i) {
    const auto activation = static_cast<Activation>(i);
    EXPECT_EQ(activation_from_string(to_string(activation)), activation);
  }
  try {
    activation_from_string("swish2");
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("swish2"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("hard_swish"), std::string::npos);
  }
  EXPECT_THROW(to_string(static_cast<Activation>(200)), std::invalid_argument);
}

}  // namespace
}  // namespace linnet
