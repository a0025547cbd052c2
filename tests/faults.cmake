# The walks of tests/faults: a kill, or a failure, at every system call of an operation (tests/faults/README.md). Each is
# a program that takes a scenario as its argument; without one it is `plain`, which is the test of the program's name.
add_library(faults-walk STATIC faults/agent_thread.cpp faults/calls.cpp faults/cgroups.cpp faults/devices.cpp faults/operations.cpp
  faults/registers.cpp faults/shares.cpp faults/site.cpp faults/tables.cpp faults/tracer.cpp)
target_include_directories(faults-walk PUBLIC ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/api
  ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(faults-walk PUBLIC api-harness reaper PRIVATE reaper-warnings)
if(REAPER_SANITIZE OR REAPER_COVERAGE)
  target_compile_definitions(faults-walk PRIVATE REAPER_INSTRUMENTED)
endif()

function(reaper_walk walk)
  target_link_libraries(faults_${walk} PRIVATE faults-walk)
  foreach(scenario IN LISTS ARGN)
    add_test(NAME faults.${walk}_${scenario} COMMAND faults_${walk} ${scenario})
    set_tests_properties(faults.${walk}_${scenario} PROPERTIES LABELS "faults;${walk};${walk}_${scenario}"
      TIMEOUT ${REAPER_TEST_TIMEOUT} COST 100) # first: the longest of their label
  endforeach()
  set_tests_properties(faults.${walk} PROPERTIES COST 100)
endfunction()
reaper_walk(kill_walk supervised hooks cgroup terminal isolated user joined joined-supervised joined-mapped filter notify
  devices)
# Further scenarios by hand: bin/faults_errno_walk supervised
reaper_walk(errno_walk isolated user joined joined-mapped filter notify devices)
target_compile_definitions(faults_errno_walk PRIVATE FAULTS_TABLES="${CMAKE_CURRENT_SOURCE_DIR}/faults")

set_tests_properties(faults.cycles faults.allocations PROPERTIES COST 100) # minutes, too
# What mostly waits comes while others compile (dist.cmake).
set_tests_properties(faults.kill_walk_devices faults.errno_walk_devices faults.kill_walk_notify faults.errno_walk_notify
  faults.kill_walk_cgroup PROPERTIES COST 150)

# What the tests of the state directory share.
foreach(subject state_files state_filter state_full state_leftovers state_time)
  target_sources(faults_${subject} PRIVATE faults/tamper.c)
endforeach()
target_sources(faults_state_full PRIVATE hostile/sandbox.c)
