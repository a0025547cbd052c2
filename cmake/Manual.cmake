# The manual pages: section 1 is written (docs/man/*.1), section 3 is made from the header's own comments, and the table of
# section 5 from docs/properties.md, both by awk, which every build host has. And the shells' completions and the pages of docs/.
set(REAPER_MANUAL_DATE 2026-11-24) # of the last change that a reader should know of

file(GLOB manual_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.1)
foreach(page IN LISTS manual_pages)
  cmake_path(GET page FILENAME name)
  configure_file(${page} ${CMAKE_BINARY_DIR}/man/man1/${name} @ONLY)
endforeach()
install(DIRECTORY ${CMAKE_BINARY_DIR}/man/man1 DESTINATION ${CMAKE_INSTALL_MANDIR} FILES_MATCHING PATTERN *.1)

# With the mark for the table left in it.
set(PROPERTIES @PROPERTIES@)
configure_file(${PROJECT_SOURCE_DIR}/docs/man/reaper-config.5 ${CMAKE_BINARY_DIR}/man/reaper-config.5.in @ONLY)

find_program(REAPER_AWK NAMES awk mawk gawk)
if(REAPER_AWK)
  set(manual_sources ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/include/reaper.h)
  set(manual_script ${PROJECT_SOURCE_DIR}/docs/man/functions.awk)
  set(properties_script ${PROJECT_SOURCE_DIR}/docs/man/properties.awk)
  set(properties_sources ${PROJECT_SOURCE_DIR}/docs/properties.md ${CMAKE_BINARY_DIR}/man/reaper-config.5.in)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/man/functions.stamp
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${CMAKE_BINARY_DIR}/man/man3
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/man/man3
    COMMAND ${REAPER_AWK} -v out=${CMAKE_BINARY_DIR}/man/man3 -v date=${REAPER_MANUAL_DATE} -v version=${PROJECT_VERSION}
            -f ${manual_script} ${manual_sources}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/man/man5
    COMMAND ${REAPER_AWK} -f ${properties_script} ${properties_sources} > ${CMAKE_BINARY_DIR}/man/man5/reaper-config.5
    COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_BINARY_DIR}/man/functions.stamp
    DEPENDS ${manual_script} ${manual_sources} ${properties_script} ${properties_sources} ${CMAKE_CURRENT_LIST_FILE}
    COMMENT "Making the manual pages of the library and of config.json" VERBATIM)
  add_custom_target(manual ALL DEPENDS ${CMAKE_BINARY_DIR}/man/functions.stamp)
  install(DIRECTORY ${CMAKE_BINARY_DIR}/man/man3 DESTINATION ${CMAKE_INSTALL_MANDIR} FILES_MATCHING PATTERN *.3)
  install(DIRECTORY ${CMAKE_BINARY_DIR}/man/man5 DESTINATION ${CMAKE_INSTALL_MANDIR} FILES_MATCHING PATTERN *.5)
  # Not of the build: cmake --build BUILD --target reference
  find_package(Doxygen QUIET)
  configure_file(${PROJECT_SOURCE_DIR}/docs/man/Doxyfile.in ${CMAKE_BINARY_DIR}/Doxyfile @ONLY)
  if(DOXYGEN_FOUND)
    add_custom_target(reference COMMAND ${DOXYGEN_EXECUTABLE} ${CMAKE_BINARY_DIR}/Doxyfile
      COMMENT "Making the reference of reaper.h in reference/html" VERBATIM)
  endif()
else()
  message(WARNING "awk was not found: the manual pages of the library and of config.json are left out")
endif()

# The header and the manual pages name these.
file(GLOB documents CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/*.md)
install(FILES ${documents} DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(completions ${PROJECT_SOURCE_DIR}/cli/completions)
install(FILES ${completions}/reaper-runtime.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME reaper-runtime)
install(FILES ${completions}/_reaper-runtime DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${completions}/reaper-runtime.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
