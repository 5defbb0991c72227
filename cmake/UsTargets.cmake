# us_library(NAME LIBS...)       static library of the *.c files in the current directory
# us_program(NAME LIBS...)       program of the *.c files in the current directory
# us_unit_test(NAME LIBS...)     cmocka test from NAME.c in the current directory, run by ctest
# us_fuzz_target(NAME LIBS...)   libFuzzer target from NAME.c; without US_FUZZ the same file is
#                                built with a driver that runs it over its corpus, so that the
#                                corpus is a regression test everywhere
# us_python_test(NAME SCRIPT [COST N] [NEEDS TARGETS...] [ARGS ARGUMENTS...])
#                                test in Python, left out where there is none; the build directory
#                                is in its UNDERSEAL_BUILD, exit status 77 means skipped. What costs
#                                most begins first
# us_test_needs(NAME TARGETS...) what is to be built before a test runs. BUILD/tests/needs has it, a
#                                line a test: ./check builds what the tests that it runs need
find_package(Python3 COMPONENTS Interpreter)
if(NOT Python3_Interpreter_FOUND)
  message(STATUS "no Python: tests in it are left out")
endif()

function(us_library name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  if(NOT sources) # headers only
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE us_options ${ARGN})
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC us_options ${ARGN})
endfunction()

function(us_program name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE us_options ${ARGN})
endfunction()

function(us_unit_test name)
  add_executable(${name} ${name}.c)
  target_link_libraries(${name} PRIVATE us_options ${ARGN} cmocka)
  target_compile_definitions(${name} PRIVATE US_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  us_test_needs(${name} ${name})
endfunction()

function(us_fuzz_target name)
  if(US_FUZZ)
    add_executable(${name} ${name}.c)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} ${name}.c ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus_driver.c)
    add_test(NAME ${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}
             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    us_test_needs(${name} ${name})
  endif()
  target_link_libraries(${name} PRIVATE us_options ${ARGN})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
endfunction()

function(us_python_test name script)
  cmake_parse_arguments(PARSE_ARGV 2 test "" "COST" "NEEDS;ARGS")
  if(NOT Python3_Interpreter_FOUND)
    return()
  endif()
  get_filename_component(script ${script} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
  add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE} ${script} ${test_ARGS} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 ENVIRONMENT UNDERSEAL_BUILD=${CMAKE_BINARY_DIR})
  if(test_COST)
    set_tests_properties(${name} PROPERTIES COST ${test_COST})
  endif()
  us_test_needs(${name} ${test_NEEDS})
endfunction()

function(us_test_needs name)
  string(REPLACE ";" " " line "${ARGV}")
  set_property(GLOBAL APPEND_STRING PROPERTY us_needs "${line}\n")
endfunction()

function(us_write_needs)
  get_property(lines GLOBAL PROPERTY us_needs)
  file(WRITE ${CMAKE_BINARY_DIR}/tests/needs "${lines}")
endfunction()
