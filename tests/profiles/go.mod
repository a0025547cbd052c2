// The default profile of Docker's and containerd's engines, as data for tests/cli/profiles_test.go: it lies in the module
// cache, where `go mod download` puts it, and nothing of it is compiled or shipped. Apache-2.0.
module reaper.invalid/tests/profiles

go 1.23.0

require github.com/moby/profiles/seccomp v0.3.0
