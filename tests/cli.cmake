# The CLI: unit tests of its pure parts, and the integration tests in tests/cli (Go), which drive the built program.
set(cli_directory ${PROJECT_SOURCE_DIR}/cli)

# What of cli/ needs no library. These files compile into the unit tests that are named after them.
function(reaper_cli_unit name)
  if(TARGET unit_${name})
    list(TRANSFORM ARGN PREPEND ${cli_directory}/)
    target_sources(unit_${name} PRIVATE ${ARGN})
    target_include_directories(unit_${name} PRIVATE ${cli_directory})
  endif()
endfunction()
reaper_cli_unit(cli_arguments arguments.cpp options.cpp help.cpp)
reaper_cli_unit(cli_signals signals.cpp)
reaper_cli_unit(cli_listing listing.cpp)
reaper_cli_unit(cli_errno_name errno_name.cpp)
reaper_cli_unit(cli_exec exec_document.cpp arguments.cpp options.cpp report.cpp errno_name.cpp)
target_link_libraries(unit_cli_exec PRIVATE reaper)  # report.cpp frees errors

# Compiled with the tree and run as a plain program, so that it also runs as a user who has no Go and no module cache.
find_program(REAPER_GO go HINTS /usr/local/go/bin /usr/lib/go/bin)
if(REAPER_GO)
  file(GLOB cli_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cli/*.go)
  set(cli_program ${CMAKE_BINARY_DIR}/bin/cli_tests)
  add_custom_command(OUTPUT ${cli_program}
    COMMAND ${CMAKE_COMMAND} -E env CGO_ENABLED=0 ${REAPER_GO} test -c -o ${cli_program} .
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/cli
    DEPENDS ${cli_tests} ${CMAKE_CURRENT_SOURCE_DIR}/cli/go.mod ${CMAKE_CURRENT_SOURCE_DIR}/cli/go.sum
    COMMENT "Compiling the CLI's tests" VERBATIM)
  add_custom_target(cli-tests ALL DEPENDS ${cli_program})
  # A test of ctest for each file, labelled with its subject. By name, because Go 1.19 knows no -test.skip.
  foreach(file IN LISTS cli_tests)
    file(STRINGS ${file} lines REGEX "^func Test[A-Z]")
    list(TRANSFORM lines REPLACE "^func (Test[A-Za-z0-9_]*).*" "\\1")
    list(REMOVE_ITEM lines TestMain)
    if(lines)
      cmake_path(GET file STEM stem)
      string(REPLACE "_test" "" name ${stem})
      list(JOIN lines "|" names)
      add_test(NAME cli.${name} COMMAND ${cli_program} -test.v -test.count=1 "-test.run=^(${names})$")
      set_tests_properties(cli.${name} PROPERTIES LABELS "cli;${name}" TIMEOUT 600 COST 10
        ENVIRONMENT "REAPER_RUNTIME=$<TARGET_FILE:reaper-runtime>;REAPER_TEST_DATA=${CMAKE_CURRENT_SOURCE_DIR}/data;REAPER_TEST_BUILD=${CMAKE_BINARY_DIR}")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    endif()
  endforeach()
else()
  message(WARNING "go was not found: the CLI's integration tests are left out")
endif()
