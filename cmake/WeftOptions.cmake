# weft_options: the interface library that every target of ours links. It carries the language,
# the include root, the warnings and what the profile asks for (hardening or a sanitizer).

include(CheckCCompilerFlag)
include(CheckLinkerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

set(WEFT_PROFILE "release" CACHE STRING "release, dev, tsan or fuzz")
set_property(CACHE WEFT_PROFILE PROPERTY STRINGS release dev tsan fuzz)
option(WEFT_WERROR "Treat warnings as errors" OFF)
option(WEFT_LTO "Release: optimise weftd across its files; off saves 20 s a build" ON)

if(NOT WEFT_PROFILE MATCHES "^(release|dev|tsan|fuzz)$")
  message(FATAL_ERROR "WEFT_PROFILE is '${WEFT_PROFILE}'; it must be release, dev, tsan or fuzz")
endif()
if(WEFT_PROFILE STREQUAL "fuzz" AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "The fuzz profile needs clang's libFuzzer, not ${CMAKE_C_COMPILER}")
endif()

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_SKIP_RPATH ON)

add_library(weft_options INTERFACE)
target_compile_features(weft_options INTERFACE c_std_17)
target_include_directories(weft_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_definitions(weft_options INTERFACE WEFT_VERSION="${PROJECT_VERSION}")

# What only programs and the outer rooms may see of libc. proto and mesh are built without it: a
# plain -std=c17 hides POSIX from them.
add_library(weft_posix INTERFACE)
target_compile_definitions(weft_posix INTERFACE "_GNU_SOURCE=")

# Adds each compiler flag that this compiler knows.
function(weft_add_compile_flags)
  foreach(flag IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER "WEFT_HAS${flag}" has)
    # -Wformat: without it gcc warns of -Werror=format-security.
    set(CMAKE_REQUIRED_FLAGS "-Werror -Wformat")
    check_c_compiler_flag("${flag}" ${has})
    if(${has})
      target_compile_options(weft_options INTERFACE "${flag}")
    endif()
  endforeach()
endfunction()

function(weft_add_link_flags)
  foreach(flag IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER "WEFT_LINKS${flag}" has)
    check_linker_flag(C "${flag}" ${has})
    if(${has})
      target_link_options(weft_options INTERFACE "${flag}")
    endif()
  endforeach()
endfunction()

weft_add_compile_flags(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wundef -Wvla -Wformat=2
  -Wcast-align -Wcast-qual -Wwrite-strings -Wpointer-arith -Wstrict-prototypes
  -Wmissing-prototypes -Wredundant-decls -Wswitch-enum -Wimplicit-fallthrough
  -Wnull-dereference -fno-common)
if(WEFT_WERROR)
  target_compile_options(weft_options INTERFACE -Werror)
endif()

# No -DNDEBUG anywhere: what is asserted stays asserted, in release too.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g -fno-omit-frame-pointer")

if(WEFT_PROFILE STREQUAL "release")
  set(build_type Release)
  # _FORTIFY_SOURCE first undefined: distributions predefine it, and redefining it warns.
  target_compile_options(weft_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  weft_add_compile_flags(
    -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
    -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing
    -ftrivial-auto-var-init=zero
    -Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types
    -Werror=int-conversion -Wtrampolines -Wbidi-chars=any)
  weft_add_link_flags(
    "LINKER:-z,relro" "LINKER:-z,now" "LINKER:-z,noexecstack" "LINKER:--as-needed")
elseif(WEFT_PROFILE STREQUAL "dev")
  set(build_type Debug)
  set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(WEFT_PROFILE STREQUAL "tsan")
  set(build_type Debug)
  set(sanitize -fsanitize=thread)
elseif(WEFT_PROFILE STREQUAL "fuzz")
  set(build_type Debug)
  set(sanitize -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all)
  target_compile_options(weft_options INTERFACE -gline-tables-only) # a quarter of the build
endif()
# Files that weftd alone is made of are compiled once more for it (weft_program ACROSS): a library
# that is installed must not carry one compiler's intermediate code.
if(WEFT_LTO AND WEFT_PROFILE STREQUAL "release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  set(WEFT_ACROSS -flto=auto -fno-fat-lto-objects)
endif()
if(DEFINED sanitize)
  target_compile_options(weft_options INTERFACE ${sanitize})
  target_link_options(weft_options INTERFACE ${sanitize})
endif()
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE ${build_type} CACHE STRING "" FORCE)
endif()
