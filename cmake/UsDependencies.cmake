# Libraries, all from Debian 12 or 13.
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(libevent REQUIRED IMPORTED_TARGET libevent_core)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(yajl REQUIRED IMPORTED_TARGET yajl)
pkg_check_modules(cjson REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)
# Debian's CRoaring ships no pkg-config file.
find_library(ROARING_LIBRARY roaring REQUIRED)
find_path(ROARING_INCLUDE roaring/roaring.h REQUIRED)
add_library(us_roaring INTERFACE)
target_include_directories(us_roaring SYSTEM INTERFACE ${ROARING_INCLUDE})
target_link_libraries(us_roaring INTERFACE ${ROARING_LIBRARY} m)
pkg_check_modules(archive REQUIRED IMPORTED_TARGET libarchive)

# llhttp is a library with a pkg-config file (Debian 13: libllhttp-dev) or only the C that it is generated to
# (Debian 12: node-llhttp), which is compiled apart, without our warnings. It is us_llhttp in either case,
# and <llhttp.h> its header.
pkg_check_modules(llhttp IMPORTED_TARGET libllhttp)
find_file(LLHTTP_SOURCE llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)
find_path(LLHTTP_HEADER_DIR llhttp.h PATHS /usr/share/include/llhttp NO_DEFAULT_PATH)
if(llhttp_FOUND)
  add_library(us_llhttp INTERFACE)
  target_link_libraries(us_llhttp INTERFACE PkgConfig::llhttp)
elseif(LLHTTP_SOURCE AND LLHTTP_HEADER_DIR)
  get_filename_component(llhttp_dir ${LLHTTP_SOURCE} DIRECTORY)
  add_library(us_llhttp STATIC ${llhttp_dir}/api.c ${llhttp_dir}/http.c ${LLHTTP_SOURCE})
  target_include_directories(us_llhttp SYSTEM PUBLIC ${LLHTTP_HEADER_DIR})
  target_compile_definitions(us_llhttp PUBLIC LLHTTP_STRICT_MODE=1) # from 9 on it is always strict
  target_compile_options(us_llhttp PRIVATE -w)
else()
  message(FATAL_ERROR "llhttp is not here: neither a library (libllhttp-dev) nor its C "
                      "(node-llhttp of Debian 12). packaging/install-packages build installs it")
endif()
