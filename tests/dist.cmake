# What is handed out (tests/dist). Each makes builds of its own, and says the same in every configuration. They come first: they
# wait for mirrors, and the compilers for each other, while other tests run.
if(REAPER_SANITIZE OR REAPER_COVERAGE)
  return()
endif()
function(reaper_dist_test name label timeout)
  add_test(NAME dist.${name} COMMAND env python3 -B -m unittest -v test_${name}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/dist)
  set_tests_properties(dist.${name} PROPERTIES LABELS "${label}" TIMEOUT ${timeout} RESOURCE_LOCK compilers COST 250
    ENVIRONMENT "REAPER_SOURCE=${PROJECT_SOURCE_DIR};REAPER_TEST_BUILD=${CMAKE_BINARY_DIR}")
endfunction()
reaper_dist_test(debian dist 1800)
reaper_dist_test(rpm dist 1800)
reaper_dist_test(arm64 "dist;arm64" 1800)
reaper_dist_test(tarball "dist;tarball" 1800)
