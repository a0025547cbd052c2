# Gates: rules about the shape of the tree and of what was built, each with a test that it can fail (tests/gates).
# Those that read the tree alone, or make a build of their own, say the same in every configuration and run in the plain
# one only.
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
function(reaper_gate name timeout)
  # By PATH, not where CMake found it: the tests run again as a user who may not enter that place.
  add_test(NAME gate.${name} COMMAND env python3 -B -m unittest -v test_${name}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/gates)
  set_tests_properties(gate.${name} PROPERTIES LABELS gate TIMEOUT ${timeout} ENVIRONMENT
    "REAPER_SOURCE=${PROJECT_SOURCE_DIR};REAPER_TEST_BUILD=${CMAKE_BINARY_DIR};REAPER_SANITIZE=${REAPER_SANITIZE};REAPER_COVERAGE=$<$<BOOL:${REAPER_COVERAGE}>:1>")
endfunction()

reaper_gate(binaries 120)
set_tests_properties(gate.binaries PROPERTIES LABELS "gate;binaries")
reaper_gate(docs 900)
set_tests_properties(gate.docs PROPERTIES LABELS "gate;docs")
if(NOT REAPER_SANITIZE AND NOT REAPER_COVERAGE)
  reaper_gate(rooms 60)
  reaper_gate(phrases 60)
  reaper_gate(security 60)
  reaper_gate(mutants 60)
  reaper_gate(conformance 60)
  reaper_gate(header 120)
  reaper_gate(manual 120)
  reaper_gate(completion 300)
  reaper_gate(install 900)
  set_tests_properties(gate.install PROPERTIES RESOURCE_LOCK compilers COST 200) # a whole build
  reaper_gate(package 300)
  reaper_gate(abi 120)
endif()

file(GLOB example_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.c)
foreach(source IN LISTS example_sources)
  cmake_path(GET source STEM name)
  add_executable(example_${name} ${source})
  target_link_libraries(example_${name} PRIVATE reaper reaper-instrumented reaper-warnings)
endforeach()
