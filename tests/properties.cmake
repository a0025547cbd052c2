# gate.properties: the table of src/config against the specification's schema and Go types, and docs/properties.md; and
# every example of the specification's text and case of its schema as parse_config() judges them.
add_executable(properties_dump properties/dump/properties_dump.cpp)
target_link_libraries(properties_dump PRIVATE reaper-rooms reaper-warnings)
add_executable(config_judge properties/judge/config_judge.cpp)
target_link_libraries(config_judge PRIVATE reaper-rooms reaper-warnings)

find_program(REAPER_GO go PATHS /usr/local/go/bin)
if(REAPER_GO)
  add_test(NAME gate.properties COMMAND ${REAPER_GO} test -count=1 .
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/properties)
  cmake_path(GET REAPER_GO PARENT_PATH REAPER_GO_DIRECTORY)
  set_tests_properties(gate.properties PROPERTIES LABELS gate TIMEOUT 300
    ENVIRONMENT
      "REAPER_PROPERTIES_DUMP=$<TARGET_FILE:properties_dump>;REAPER_CONFIG_JUDGE=$<TARGET_FILE:config_judge>"
    ENVIRONMENT_MODIFICATION "PATH=path_list_prepend:${REAPER_GO_DIRECTORY}")
else()
  message(WARNING "Go is not installed: gate.properties is left out")
endif()
