# The bindings, against what this build installs: with the newest language that is there, and with the oldest that is
# promised. Of the build as shipped only: a sanitizer's runtime would have to be in programs of other compilers.
if(REAPER_SANITIZE OR REAPER_COVERAGE)
  return()
endif()

# One of a language at a time: its compilers take all processors by themselves.
function(reaper_binding_test name subject)
  add_test(NAME bindings.${name} COMMAND ${ARGN})
  set_tests_properties(bindings.${name} PROPERTIES LABELS "bindings;${subject}" TIMEOUT 900 SKIP_RETURN_CODE 77
    RESOURCE_LOCK ${subject} COST 150)
endfunction()

# Found again when the tests run: the packages of either may come later than this configuration.
find_program(REAPER_GO go HINTS /usr/local/go/bin /usr/lib/go/bin)
set(go_newest ${REAPER_GO})
set(go_oldest /usr/lib/go-1.19/bin/go) # Debian 12's golang-1.19-go
foreach(age newest oldest)
  set(whats vet start plain cgo gc)
  if(age STREQUAL newest) # races are the package's, whatever compiles it
    list(APPEND whats race)
  endif()
  foreach(what IN LISTS whats)
    reaper_binding_test(go_${age}_${what} go
      ${CMAKE_CURRENT_SOURCE_DIR}/bindings/run_go.sh ${CMAKE_BINARY_DIR} ${go_${age}} ${what})
  endforeach()
endforeach()

find_program(REAPER_CARGO cargo HINTS $ENV{HOME}/.cargo/bin /usr/local/cargo/bin)
if(REAPER_CARGO STREQUAL /usr/bin/cargo AND EXISTS $ENV{HOME}/.cargo/bin/cargo)
  set(REAPER_CARGO $ENV{HOME}/.cargo/bin/cargo)
endif()
set(run_rust ${CMAKE_CURRENT_SOURCE_DIR}/bindings/run_rust.sh ${CMAKE_BINARY_DIR})
reaper_binding_test(rust_oldest rust ${run_rust} /usr/bin/cargo oldest) # Debian 12's
foreach(what start lint features dlopen vendored audit)
  reaper_binding_test(rust_${what} rust ${run_rust} ${REAPER_CARGO} ${what})
endforeach()
