# us_options: what every target of ours is compiled and linked with. Hardening flags are probed
# and on by default; sanitizer builds leave out those that sanitizers replace.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(us_options INTERFACE)
target_compile_definitions(us_options INTERFACE _GNU_SOURCE US_VERSION="${PROJECT_VERSION}")
target_include_directories(us_options INTERFACE ${CMAKE_SOURCE_DIR})

function(us_probe_compile flag)
  string(MAKE_C_IDENTIFIER "US_HAVE_${flag}" var)
  check_c_compiler_flag(${flag} ${var})
  if(${var})
    target_compile_options(us_options INTERFACE ${flag})
  endif()
endfunction()

function(us_probe_link flag)
  string(MAKE_C_IDENTIFIER "US_LINK_${flag}" var)
  check_linker_flag(C ${flag} ${var})
  if(${var})
    target_link_options(us_options INTERFACE ${flag})
  endif()
endfunction()

foreach(flag -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wformat=2 -Wstrict-prototypes
             -Wmissing-prototypes -Wwrite-strings -Wundef -Wvla -Wimplicit-fallthrough
             -Wswitch-enum -fno-strict-aliasing -fno-common)
  us_probe_compile(${flag})
endforeach()
if(US_WERROR)
  target_compile_options(us_options INTERFACE -Werror)
endif()

if(US_SANITIZE)
  target_compile_options(us_options INTERFACE -fsanitize=${US_SANITIZE} -fno-omit-frame-pointer
                                              -fno-sanitize-recover=all)
  target_link_options(us_options INTERFACE -fsanitize=${US_SANITIZE})
  target_compile_definitions(us_options INTERFACE US_SANITIZED=1)
else()
  if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    target_compile_options(us_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
  foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
               -ftrivial-auto-var-init=zero)
    us_probe_compile(${flag})
  endforeach()
  foreach(flag -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
    us_probe_link(${flag})
  endforeach()
endif()
if(US_COVERAGE) # for tests/figures/coverage
  target_compile_options(us_options INTERFACE --coverage)
  target_link_options(us_options INTERFACE --coverage)
endif()
if(US_FUZZ)
  target_compile_options(us_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
