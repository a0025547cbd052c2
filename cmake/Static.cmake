# libreaper.a: the objects of libreaper.so as one, of which only the functions of reaper.h can be seen, so that no name in
# it meets one of the program's. cJSON and libstdc++ are linked with the program (reaper.pc knows).
if(NOT REAPER_STATIC OR REAPER_SANITIZE OR REAPER_COVERAGE)
  return()
endif()

# objcopy would leave "unique" symbols visible.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(reaper-rooms PRIVATE -fno-gnu-unique)
  target_compile_options(reaper PRIVATE -fno-gnu-unique)
endif()

set(REAPER_ONE_OBJECT ${CMAKE_BINARY_DIR}/static/reaper.o)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/static)
separate_arguments(reaper_relocatable UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
list(APPEND reaper_relocatable -r -nostdlib
  # Sections that are shared by name with the program's own would be thrown away together with our local names.
  -Wl,--force-group-allocation)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  list(APPEND reaper_relocatable -flinker-output=nolto-rel)
endif()
# CMake counts precompiled headers among the objects.
set(reaper_objects $<TARGET_OBJECTS:reaper> $<TARGET_OBJECTS:reaper-rooms> $<TARGET_OBJECTS:reaper-child>)
add_custom_command(OUTPUT ${REAPER_ONE_OBJECT}
  COMMAND ${CMAKE_CXX_COMPILER} ${reaper_relocatable} -o ${CMAKE_BINARY_DIR}/static/all.o
    "$<FILTER:${reaper_objects},EXCLUDE,cmake_pch>"
  COMMAND ${CMAKE_OBJCOPY} --wildcard --localize-hidden --keep-global-symbol=reaper_*
    ${CMAKE_BINARY_DIR}/static/all.o ${REAPER_ONE_OBJECT}
  DEPENDS reaper reaper-rooms # not their objects: make has no rules for those of another target
  COMMENT "Making one object of libreaper.a" COMMAND_EXPAND_LISTS VERBATIM)
set_source_files_properties(${REAPER_ONE_OBJECT} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)

add_library(reaper-static STATIC ${REAPER_ONE_OBJECT})
add_library(reaper::reaper-static ALIAS reaper-static)
# C, so that a project without C++ can link it: libstdc++ is named like any other library.
set_target_properties(reaper-static PROPERTIES OUTPUT_NAME reaper LINKER_LANGUAGE C
  ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR})
target_include_directories(reaper-static INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
# The installed package looks for cJSON again (cmake/reaper-config.cmake.in).
target_link_libraries(reaper-static INTERFACE
  $<BUILD_INTERFACE:PkgConfig::CJSON> $<INSTALL_INTERFACE:PkgConfig::REAPER_CJSON> stdc++ ${CMAKE_DL_LIBS})
