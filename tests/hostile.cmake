# What the programs of tests/hostile have besides their one source.
target_sources(hostile_configs PRIVATE hostile/cases.cpp)
