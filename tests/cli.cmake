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
