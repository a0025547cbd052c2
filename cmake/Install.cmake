include(CMakePackageConfigHelpers)

# ---- what runs
install(TARGETS reaper EXPORT reaper-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS reaper-runtime RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# Run only where the kernel refuses to execute a memfd (vm.memfd_noexec=2).
install(TARGETS reaper-init RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/reaper)

# ---- what programs are built with
install(FILES ${PROJECT_SOURCE_DIR}/include/reaper.h ${PROJECT_SOURCE_DIR}/include/reaper.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET reaper-static)
  install(TARGETS reaper-static EXPORT reaper-static-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()

# reaper.pc: from where it lies to the prefix, so that the tree can be moved. Directories may be absolute, or deeper than
# lib (Debian's lib/x86_64-linux-gnu).
file(RELATIVE_PATH REAPER_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" REAPER_PC_TO_PREFIX ${REAPER_PC_TO_PREFIX})
foreach(directory LIBDIR INCLUDEDIR)
  set(REAPER_PC_${directory} "\${prefix}/${CMAKE_INSTALL_${directory}}")
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${directory}}")
    set(REAPER_PC_${directory} ${CMAKE_INSTALL_${directory}})
  endif()
endforeach()
# What libreaper.a is linked with. Where there is none, pkg-config is not to ask for cJSON.
set(REAPER_PC_PRIVATE)
if(TARGET reaper-static)
  set(REAPER_PC_PRIVATE "Requires.private: libcjson\nLibs.private: -lstdc++ -lm -ldl\n")
endif()
configure_file(${PROJECT_SOURCE_DIR}/reaper.pc.in ${CMAKE_BINARY_DIR}/reaper.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/reaper.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# find_package(reaper). Before 1.0 a new minor version may change the API (docs/versioning.md).
set(REAPER_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/reaper)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/reaper-config.cmake.in ${CMAKE_BINARY_DIR}/reaper-config.cmake
  INSTALL_DESTINATION ${REAPER_PACKAGE_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/reaper-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/reaper-config.cmake ${CMAKE_BINARY_DIR}/reaper-config-version.cmake
  DESTINATION ${REAPER_PACKAGE_DIR})
install(EXPORT reaper-targets NAMESPACE reaper:: DESTINATION ${REAPER_PACKAGE_DIR})
if(TARGET reaper-static)
  install(EXPORT reaper-static-targets NAMESPACE reaper:: DESTINATION ${REAPER_PACKAGE_DIR})
endif()
