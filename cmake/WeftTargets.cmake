# weft_library and weft_program: a folder's main.c is a program, the rest of it a library.
# A folder that does not exist yet gives no target, and whoever links it does without.

# Keeps of a list of libraries those that exist as targets, or are plain system libraries.
function(weft_existing out)
  set(kept "")
  foreach(library IN LISTS ARGN)
    if(TARGET ${library} OR NOT library MATCHES "^weft_")
      list(APPEND kept ${library})
    endif()
  endforeach()
  set(${out} ${kept} PARENT_SCOPE)
endfunction()

# weft_library(name FROM folder [POSIX] [LINK libraries] [DEFINE macros])
# A static library of all sources below the folder but main.c; <name>_objects holds its objects.
function(weft_library name)
  cmake_parse_arguments(arg "POSIX" "FROM" "LINK;DEFINE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${arg_FROM}/*.c")
  list(FILTER sources EXCLUDE REGEX "/main\\.c$")
  list(FILTER sources EXCLUDE REGEX "/bench/peers/") # programs of their own, built by their script
  if(NOT sources)
    return()
  endif()
  weft_existing(libraries ${arg_LINK})
  add_library(${name}_objects OBJECT ${sources})
  target_link_libraries(${name}_objects PRIVATE weft_options ${libraries})
  target_compile_definitions(${name}_objects PRIVATE ${arg_DEFINE})
  if(arg_POSIX)
    target_link_libraries(${name}_objects PRIVATE weft_posix)
  endif()
  add_library(${name} STATIC $<TARGET_OBJECTS:${name}_objects>)
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C)
  target_link_libraries(${name} PUBLIC ${libraries} PRIVATE weft_options)
endfunction()

# weft_program(name FROM folder LINK library [DEFINE macros]): the folder's main.c on the library.
function(weft_program name)
  cmake_parse_arguments(arg "" "FROM" "LINK;DEFINE" ${ARGN})
  file(GLOB source CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${arg_FROM}/main.c")
  if(NOT source)
    return()
  endif()
  weft_existing(libraries ${arg_LINK})
  add_executable(${name} ${source})
  target_compile_definitions(${name} PRIVATE ${arg_DEFINE})
  target_link_libraries(${name} PRIVATE weft_options weft_posix ${libraries})
endfunction()

# weft_knows_commit(target): the target may include "weft_commit.h", which says WEFT_COMMIT.
function(weft_knows_commit target)
  if(NOT TARGET ${target})
    return()
  endif()
  set(folder "${CMAKE_BINARY_DIR}/commit")
  if(NOT TARGET weft_commit)
    add_custom_target(weft_commit
      COMMAND ${CMAKE_COMMAND} "-DSOURCE=${PROJECT_SOURCE_DIR}" "-DOUT=${folder}/weft_commit.h"
              -P "${PROJECT_SOURCE_DIR}/cmake/WeftCommit.cmake"
      BYPRODUCTS "${folder}/weft_commit.h" VERBATIM)
  endif()
  add_dependencies(${target} weft_commit)
  target_include_directories(${target} PRIVATE "${folder}")
endfunction()
