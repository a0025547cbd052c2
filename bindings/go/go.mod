module reaper/bindings/go

go 1.19

require github.com/opencontainers/runtime-spec v1.3.0

require github.com/ebitengine/purego v0.10.2
