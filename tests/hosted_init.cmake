# reaper-init's stages built hosted, with its system calls sent to a small model of the kernel (tests/init/kernel.h):
# unit tests, fault walks and coverage without root.
file(GLOB hosted_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/init/*.cpp)
list(REMOVE_ITEM hosted_sources ${PROJECT_SOURCE_DIR}/src/init/entry.cpp)
add_library(hosted-init STATIC ${hosted_sources} init/kernel.cpp
  init/kernel_attributes.cpp init/kernel_copies.cpp init/kernel_mounts.cpp init/kernel_namespaces.cpp
  init/kernel_processes.cpp init/kernel_seccomp.cpp init/kernel_terminal.cpp)
target_compile_definitions(hosted-init PUBLIC REAPER_INIT_HOSTED)
target_include_directories(hosted-init PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(hosted-init PUBLIC reaper-rooms PRIVATE reaper-counted reaper-warnings)

file(GLOB init_tests CONFIGURE_DEPENDS init/test_*.cpp)
foreach(source IN LISTS init_tests)
  cmake_path(GET source STEM stem)
  string(REPLACE "test_" "" name ${stem})
  add_executable(unit_${name} ${source})
  target_link_libraries(unit_${name} PRIVATE hosted-init PkgConfig::CMOCKA reaper-warnings)
  reaper_unit_program(unit_${name})
  reaper_cmocka_test(${name} unit)
endforeach()
