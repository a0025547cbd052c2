# reaper-runtime: on reaper.h alone.
file(GLOB REAPER_CLI_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.cpp)
add_executable(reaper-runtime ${REAPER_CLI_SOURCES})
target_compile_definitions(reaper-runtime PRIVATE _GNU_SOURCE)
target_link_libraries(reaper-runtime PRIVATE reaper reaper-instrumented reaper-warnings)
set_target_properties(reaper-runtime PROPERTIES UNITY_BUILD ${REAPER_UNITY} UNITY_BUILD_BATCH_SIZE 0)
if(NOT REAPER_UNITY) # one file has no use for it
  reaper_precompile(reaper-runtime)
endif()
target_link_options(reaper-runtime PRIVATE ${REAPER_STATIC_RUNTIME} -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)

# The loader rule (docs/architecture.md): containerd sets LD_LIBRARY_PATH to a path that ends in a colon, which means
# the current directory, a tenant's bundle. DT_RPATH is searched before it, DT_RUNPATH after it; so RPATH, with the
# library's directory and those of the system.
file(RELATIVE_PATH REAPER_BIN_TO_LIB ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set_target_properties(reaper-runtime PROPERTIES
  # The build tree is laid out like the installation. Two paths of different length would make CMake pad the shorter one
  # with colons, and an empty element is the current directory.
  BUILD_WITH_INSTALL_RPATH ON
  INSTALL_RPATH "$ORIGIN/${REAPER_BIN_TO_LIB};${REAPER_SYSTEM_LIBDIRS}")
target_link_options(reaper-runtime PRIVATE -Wl,--disable-new-dtags)
