# The environment variable LINNET_ISA, from outside: a value is honoured, or refused with a list of what there is.
add_test(NAME kernels.linnet_isa_scalar COMMAND kernels_tests --gtest_filter=Isa.EnvironmentDecides)
set_tests_properties(kernels.linnet_isa_scalar PROPERTIES ENVIRONMENT LINNET_ISA=scalar)
add_test(NAME kernels.linnet_isa_unknown COMMAND kernels_tests --gtest_filter=Isa.EnvironmentDecides)
set_tests_properties(
  kernels.linnet_isa_unknown PROPERTIES ENVIRONMENT LINNET_ISA=avx3 PASS_REGULAR_EXPRESSION
                                        "LINNET_ISA=avx3: unknown instruction set; this CPU has [a-z0-9, ]*scalar")
