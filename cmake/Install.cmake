install(TARGETS reaper LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS reaper-runtime RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# Run only where the kernel refuses to execute a memfd (vm.memfd_noexec=2).
install(TARGETS reaper-init RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/reaper)
install(FILES ${PROJECT_SOURCE_DIR}/include/reaper.h ${PROJECT_SOURCE_DIR}/include/reaper.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(${PROJECT_SOURCE_DIR}/reaper.pc.in ${CMAKE_BINARY_DIR}/reaper.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/reaper.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
