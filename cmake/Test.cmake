# Kinds of tests. Exit 77 means "this machine cannot run it" and names why; labels pick suites (ctest -L unit).
if(BUILD_TESTING AND NOT CMOCKA_LIB)
  message(FATAL_ERROR "the tests need cmocka: run test/setup test, or add -DBUILD_TESTING=OFF")
endif()

# A cmocka program for one module.
function(ct_unit_test name)
  cmake_parse_arguments(A "" "" "SOURCES;USES;LIBS;ARGS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  list(TRANSFORM A_USES PREPEND ct_)
  target_link_libraries(${name} PRIVATE ${A_USES} ct_flags ${A_LIBS} ${CMOCKA_LIB})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  add_test(NAME unit.${name} COMMAND ${name} ${A_ARGS})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

# A decoder under test: SOURCES defines LLVMFuzzerTestOneInput. Everywhere its corpus is replayed as a plain test;
# with CT_FUZZ (clang) a libFuzzer program NAME_fuzzer is built as well.
function(ct_fuzz_target name)
  cmake_parse_arguments(A "" "CORPUS" "SOURCES;USES;LIBS" ${ARGN})
  list(TRANSFORM A_USES PREPEND ct_)
  add_executable(${name} ${A_SOURCES} ${CMAKE_SOURCE_DIR}/test/fuzz/replay.c)
  target_link_libraries(${name} PRIVATE ${A_USES} ct_flags ${A_LIBS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  add_test(NAME fuzz.${name} COMMAND ${name} ${A_CORPUS})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 300)
  if(CT_FUZZ)
    add_executable(${name}_fuzzer ${A_SOURCES})
    target_link_libraries(${name}_fuzzer PRIVATE ${A_USES} ct_flags ${A_LIBS})
    target_link_options(${name}_fuzzer PRIVATE -fsanitize=fuzzer)
    set_target_properties(${name}_fuzzer PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  endif()
endfunction()

# A script run against the built programs. The script finds them in $CT_BIN.
function(ct_script_test name label timeout)
  add_test(NAME ${label}.${name} COMMAND ${ARGN})
  set_tests_properties(${label}.${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout} SKIP_RETURN_CODE 77
    ENVIRONMENT "CT_BIN=${CMAKE_BINARY_DIR}/bin;CT_SRC=${CMAKE_SOURCE_DIR};CT_BUILD=${CMAKE_BINARY_DIR}")
endfunction()
