option(REAPER_TESTS "Build the tests (needs cmocka)" OFF)
option(REAPER_BENCH "Build the benchmark programs" OFF)
option(REAPER_SECCOMP "Compile seccomp filters, where libseccomp is found (it is loaded when one is asked for)" ON)
option(REAPER_STATIC "Make libreaper.a beside libreaper.so (not in instrumented builds)" ON)
option(REAPER_COVERAGE "Instrument for gcov" OFF)
option(REAPER_WERROR "Warnings are errors" OFF)
option(REAPER_FUZZ "Make libFuzzer programs of the fuzz targets (clang)" OFF)
option(REAPER_PCH "Precompile the standard headers: half the build time, but a missing #include goes unseen" OFF)
set(REAPER_SYSTEM_LIBDIRS "" CACHE STRING
  "Where the libraries of the system lie that are needed or loaded: a list; empty, where this machine has them")
set(REAPER_SANITIZE "" CACHE STRING "Sanitizers, as of -fsanitize=: 'address,undefined' or 'thread'")
set(REAPER_TARGET_ROOT "$ENV{PKG_CONFIG_SYSROOT_DIR}" CACHE PATH
  "Where the root of the machine lies that a cross build is for: not a part of the paths that are built in")

# reaper_directory_on_target(VARIABLE FILE): the real directory of a library, as the machine that loads it has it.
function(reaper_directory_on_target variable file)
  cmake_path(GET file PARENT_PATH directory)
  file(REAL_PATH ${directory} directory)
  if(REAPER_TARGET_ROOT)
    file(REAL_PATH ${REAPER_TARGET_ROOT} root)
    cmake_path(IS_PREFIX root ${directory} is_below)
    if(is_below)
      file(RELATIVE_PATH directory ${root} ${directory})
      set(directory /${directory})
    endif()
  endif()
  set(${variable} ${directory} PARENT_SCOPE)
endfunction()

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, RelWithDebInfo or Debug" FORCE)
endif()

# What is shipped is built so; who changes a file does not wait for all of its room.
set(reaper_together OFF)
if(CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo|MinSizeRel)$")
  set(reaper_together ON)
endif()
option(REAPER_UNITY "Compile the files of a room together: less than half of the build time, and a library that is 8 percent smaller"
  ${reaper_together})

# Small code is the faster one here: what a call costs is page faults and cold caches, not loops (docs/performance.md).
set(CMAKE_CXX_FLAGS_RELEASE "-Os -DNDEBUG")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON) # statement expressions (TRY)
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR})

add_library(reaper-warnings INTERFACE)
# -Wshadow and -Wsubobject-linkage would speak of neighbours, too; lint looks at each file by itself (scripts/lib/lint.sh).
target_compile_options(reaper-warnings INTERFACE -Wall -Wextra
  $<IF:$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>,$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>,-Wshadow> -Wvla -Wformat=2
  # gcc 12 sees overlaps in std::string's operator+ that are none (GCC bug 105651).
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-Wno-restrict>
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> $<$<BOOL:${REAPER_WERROR}>:-Werror>)

# What the hosted code is built with. The code between clone and exec (src/launch/child.cpp, src/init) never has these.
add_library(reaper-instrumented INTERFACE)
target_compile_definitions(reaper-instrumented INTERFACE _GNU_SOURCE)
target_compile_options(reaper-instrumented INTERFACE
  -fvisibility=hidden $<$<COMPILE_LANGUAGE:CXX>:-fvisibility-inlines-hidden> -fstack-protector-strong)
if(REAPER_SANITIZE)
  # What is found ends the program: with a way on after each finding, gcc takes twice as long.
  target_compile_options(reaper-instrumented INTERFACE -fsanitize=${REAPER_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g1
    # Of a unit test, what is looked for is what it calls: a quarter of its compilation.
    $<$<BOOL:$<TARGET_PROPERTY:REAPER_UNIT_TEST>>:-fno-sanitize=undefined>)
  target_link_options(reaper-instrumented INTERFACE -fsanitize=${REAPER_SANITIZE})
endif()
# What of src/ is counted for gcov, with sanitizers or without. The tests are not: nobody asks which of their lines are run.
add_library(reaper-counted INTERFACE)
if(REAPER_COVERAGE)
  # Nor what the standard headers bring, which would be four fifths of the counters.
  target_compile_options(reaper-counted INTERFACE --coverage -fprofile-update=atomic "-fprofile-exclude-files=^/usr/(include|lib)/")
  target_link_options(reaper-instrumented INTERFACE --coverage)
endif()

# Not under sanitizers: their runtimes look for the dynamic libstdc++'s __cxa_throw and find no other, and leave symbols
# of a shared object to the program.
set(REAPER_STATIC_RUNTIME -static-libstdc++ -static-libgcc)
set(REAPER_NO_UNDEFINED -Wl,-z,defs)
if(REAPER_SANITIZE)
  set(REAPER_STATIC_RUNTIME)
  set(REAPER_NO_UNDEFINED)
endif()

# What nearly every C++ file includes. Never for reaper-init and the code after the clone: they have no libstdc++.
function(reaper_precompile target)
  if(REAPER_PCH)
    if(ARGC GREATER 1) # as that other target, whose flags are the same
      target_precompile_headers(${target} REUSE_FROM ${ARGV1})
      return()
    endif()
    target_precompile_headers(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:CXX>:<chrono$<ANGLE-R>> $<$<COMPILE_LANGUAGE:CXX>:<expected$<ANGLE-R>>
      $<$<COMPILE_LANGUAGE:CXX>:<functional$<ANGLE-R>> $<$<COMPILE_LANGUAGE:CXX>:<map$<ANGLE-R>>
      $<$<COMPILE_LANGUAGE:CXX>:<memory$<ANGLE-R>> $<$<COMPILE_LANGUAGE:CXX>:<mutex$<ANGLE-R>>
      $<$<COMPILE_LANGUAGE:CXX>:<optional$<ANGLE-R>> $<$<COMPILE_LANGUAGE:CXX>:<string$<ANGLE-R>>
      $<$<COMPILE_LANGUAGE:CXX>:<string_view$<ANGLE-R>> $<$<COMPILE_LANGUAGE:CXX>:<vector$<ANGLE-R>>)
  endif()
endfunction()
