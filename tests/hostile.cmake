# What the programs of tests/hostile have besides their one source.
target_sources(hostile_configs PRIVATE hostile/cases.cpp)
target_sources(hostile_exec_cases PRIVATE hostile/cases.cpp)
target_sources(hostile_ids PRIVATE hostile/sandbox.c)
target_sources(hostile_paths PRIVATE hostile/sandbox.c)
# They drive the command line, too.
foreach(name ids paths attacks_process)
  add_dependencies(hostile_${name} reaper-runtime)
endforeach()
