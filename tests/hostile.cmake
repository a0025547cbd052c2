# What the programs of tests/hostile have besides their one source.
target_sources(hostile_configs PRIVATE hostile/cases.cpp)
target_sources(hostile_ids PRIVATE hostile/sandbox.c)
# It drives the command line, too.
add_dependencies(hostile_ids reaper-runtime)
add_dependencies(hostile_attacks_process reaper-runtime)
