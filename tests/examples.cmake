# The same program in every language, against what this build installs. Of the build as shipped only, as the bindings.
if(REAPER_SANITIZE OR REAPER_COVERAGE)
  return()
endif()
add_test(NAME examples.hello COMMAND env python3 -B -m unittest -v test_examples
  WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/examples)
set_tests_properties(examples.hello PROPERTIES LABELS examples TIMEOUT 600 RESOURCE_LOCK compilers COST 150
  ENVIRONMENT "REAPER_SOURCE=${PROJECT_SOURCE_DIR};REAPER_TEST_BUILD=${CMAKE_BINARY_DIR}")
