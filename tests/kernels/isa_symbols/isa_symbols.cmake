# No code compiled for one instruction set may be shared with others; see check.sh.
if(LINNET_SANITIZE)
  add_test(NAME kernels.isa_symbols COMMAND ${CMAKE_COMMAND} -E echo "skipped: sanitizers add symbols of their own")
  set_tests_properties(kernels.isa_symbols PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped")
else()
  set(isa_symbols_check sh ${CMAKE_CURRENT_LIST_DIR}/check.sh ${CMAKE_NM})
  add_test(NAME kernels.isa_symbols COMMAND ${isa_symbols_check} $<TARGET_FILE:linnet>)

  # The check must be able to fail.
  add_library(isa_symbols_violation STATIC ${CMAKE_CURRENT_LIST_DIR}/avx2.cpp)
  set_target_properties(isa_symbols_violation PROPERTIES UNITY_BUILD OFF)  # the name of the object matters
  add_dependencies(kernels_tests isa_symbols_violation)
  add_test(NAME kernels.isa_symbols_finds_a_violation COMMAND ${isa_symbols_check} $<TARGET_FILE:isa_symbols_violation>)
  set_tests_properties(kernels.isa_symbols_finds_a_violation
                       PROPERTIES PASS_REGULAR_EXPRESSION "for avx2, but open to all: W [^ ]*shared_helper")
endif()
