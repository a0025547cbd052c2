module reaper.invalid/tests/properties

go 1.19

require github.com/opencontainers/runtime-spec v1.3.0
