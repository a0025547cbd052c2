# reaper-init (embedded), the rooms of src/ as one static archive (unit tests link it), and libreaper.so.

# The revision: of the file that a source archive has (scripts/package), else git's.
if(EXISTS ${PROJECT_SOURCE_DIR}/COMMIT)
  file(STRINGS ${PROJECT_SOURCE_DIR}/COMMIT REAPER_COMMIT LIMIT_COUNT 1)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS COMMIT)
else()
  execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} rev-parse --short=12 HEAD OUTPUT_VARIABLE REAPER_COMMIT
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT REAPER_COMMIT)
  set(REAPER_COMMIT unknown)
endif()

# What not every linker is asked for: zig's front end refuses both. lld separates nothing by itself; and of the archives that
# are linked in, the version script hides everything, too.
check_linker_flag(CXX -Wl,-z,noseparate-code REAPER_LINKER_NO_SEPARATE_CODE)
check_linker_flag(CXX -Wl,--exclude-libs,ALL REAPER_LINKER_EXCLUDE_LIBS)
set(REAPER_NO_SEPARATE_CODE $<$<BOOL:${REAPER_LINKER_NO_SEPARATE_CODE}>:-Wl,-z,noseparate-code>)
set(REAPER_EXCLUDE_LIBS $<$<BOOL:${REAPER_LINKER_EXCLUDE_LIBS}>:-Wl,--exclude-libs,ALL>)

# ---- reaper-init: static, freestanding, no libc. The same flags in every configuration. Its size is a promise.
file(GLOB REAPER_INIT_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/init/*.cpp)
add_executable(reaper-init ${REAPER_INIT_SOURCES})
set_target_properties(reaper-init PROPERTIES POSITION_INDEPENDENT_CODE OFF
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/libexec)
target_include_directories(reaper-init PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(reaper-init PRIVATE reaper-warnings)
set(REAPER_BARE_FLAGS -fno-stack-protector -fno-sanitize=all -fno-profile-arcs -fno-test-coverage -fno-exceptions
  -fno-asynchronous-unwind-tables -fcf-protection=none)
# gcc would make calls of memcpy out of the loops that memcpy is; clang has no such flag and needs none.
set(REAPER_NO_LOOP_IDIOMS $<$<CXX_COMPILER_ID:GNU>:-fno-tree-loop-distribute-patterns>)
target_compile_options(reaper-init PRIVATE -Os -ffreestanding -fno-rtti -fno-pie -fno-threadsafe-statics
  -fno-builtin ${REAPER_NO_LOOP_IDIOMS} -ffunction-sections -fdata-sections -fomit-frame-pointer
  ${REAPER_BARE_FLAGS})
set_target_properties(reaper-init PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/src/init/image.ld)
target_link_options(reaper-init PRIVATE -nostdlib -static -no-pie -Wl,--gc-sections -Wl,--build-id=none
  -Wl,-T,${PROJECT_SOURCE_DIR}/src/init/image.ld -Wl,-z,noexecstack ${REAPER_NO_SEPARATE_CODE} -Wl,-z,max-page-size=4096 -Wl,-s)

# ---- the rooms
set(REAPER_ROOM_SOURCES)
foreach(room core config host seccomp plan launch cgroup resctrl store runtime)
  file(GLOB room_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${room}/*.cpp)
  list(APPEND REAPER_ROOM_SOURCES ${room_sources})
endforeach()
list(REMOVE_ITEM REAPER_ROOM_SOURCES ${PROJECT_SOURCE_DIR}/src/launch/child.cpp)

add_library(reaper-child OBJECT src/launch/child.cpp)
target_compile_definitions(reaper-child PRIVATE _GNU_SOURCE)
target_include_directories(reaper-child PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_compile_options(reaper-child PRIVATE -O2 -fvisibility=hidden -fno-builtin
  ${REAPER_NO_LOOP_IDIOMS} ${REAPER_BARE_FLAGS})
target_link_libraries(reaper-child PRIVATE reaper-warnings)

add_library(reaper-rooms STATIC ${REAPER_ROOM_SOURCES} $<TARGET_OBJECTS:reaper-child>)
target_include_directories(reaper-rooms PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(reaper-rooms PUBLIC reaper-instrumented PkgConfig::CJSON
  PRIVATE reaper-counted reaper-warnings ${CMAKE_DL_LIBS})
# Per file, so that a new commit does not rebuild everything.
set_source_files_properties(src/launch/image.cpp PROPERTIES COMPILE_DEFINITIONS
  "REAPER_INIT_IMAGE=\"${CMAKE_BINARY_DIR}/libexec/reaper-init\";REAPER_INIT_INSTALLED=\"${CMAKE_INSTALL_FULL_LIBEXECDIR}/reaper/reaper-init\"")
# libcap-ng: its header now, the library for the name of a capability that is newer than this build. libseccomp: its header
# now, the library when a filter is asked for. Never linked (docs/architecture.md).
list(JOIN REAPER_SYSTEM_LIBDIRS ":" reaper_system_libdirs)
set_source_files_properties(src/core/system_library.cpp PROPERTIES
  COMPILE_DEFINITIONS "REAPER_SYSTEM_LIBDIRS=\"${reaper_system_libdirs}\"")
target_compile_options(reaper-rooms PRIVATE ${CAPNG_CFLAGS} ${SECCOMP_CFLAGS})
if(SECCOMP_FOUND)
  target_compile_definitions(reaper-rooms PRIVATE REAPER_SECCOMP_LIBRARY="libseccomp.so.2")
endif()
set_source_files_properties(src/runtime/version.cpp PROPERTIES
  COMPILE_DEFINITIONS "REAPER_VERSION=\"${PROJECT_VERSION}\";REAPER_COMMIT=\"${REAPER_COMMIT}\"")
add_dependencies(reaper-rooms reaper-init)
reaper_precompile(reaper-rooms)
if(REAPER_UNITY)
  # Alone stay the tables of properties, which are alike on purpose.
  set_target_properties(reaper-rooms PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  foreach(file IN LISTS REAPER_ROOM_SOURCES)
    cmake_path(GET file PARENT_PATH room)
    cmake_path(GET room FILENAME room)
    if(file MATCHES "/src/config/properties_[a-z]*\\.cpp$")
      set_source_files_properties(${file} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    else()
      set_source_files_properties(${file} PROPERTIES UNITY_GROUP ${room})
    endif()
  endforeach()
endif()
# The image is read by the assembler (.incbin), which no dependency scanner sees.
set_source_files_properties(src/launch/image.cpp PROPERTIES OBJECT_DEPENDS ${CMAKE_BINARY_DIR}/libexec/reaper-init)

# ---- libreaper.so
file(GLOB REAPER_ABI_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/abi/*.cpp)
add_library(reaper SHARED ${REAPER_ABI_SOURCES})
add_library(reaper::reaper ALIAS reaper)
target_include_directories(reaper PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(reaper PRIVATE reaper-rooms reaper-counted reaper-warnings)
set_target_properties(reaper PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${REAPER_SOVERSION} UNITY_BUILD ${REAPER_UNITY}
  UNITY_BUILD_BATCH_SIZE 0
  LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/reaper.map BUILD_RPATH "" SKIP_BUILD_RPATH TRUE)
# Only reaper_* leaves. libstdc++ inside: its dynamic form alone costs 0.44 ms of every CLI call.
target_link_options(reaper PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/reaper.map
  ${REAPER_STATIC_RUNTIME} -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,--as-needed ${REAPER_EXCLUDE_LIBS} ${REAPER_NO_UNDEFINED})
