#!/usr/bin/env bash
# Tests bindings/go against a build of the library: run_go.sh BUILD GO WHAT, where GO is the program go and WHAT one of
#   vet     gofmt and go vet have nothing to say, of either package
#   plain   the tests of both packages, and of purego once more without cgo
#   race    with the race detector
#   cgo     with every check of what is passed to C
#   start   the program of doc.go as README.md has it begun
#   gc      with the collector running before and after every call
# Exits with 77 where it cannot run, and says why.
set -euo pipefail

build=$1 go=$2 what=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
skip() {
  printf 'SKIP: %s\n' "$*"
  exit 77
}
[ -x "$go" ] || skip "this Go is not installed"

# Where another user made the build, what that one has installed will do.
prefix=$build/bindings/prefix
if [ -w "$build" ]; then
  mkdir -p "$build/bindings"
  flock "$build/bindings" cmake --install "$build" --prefix "$prefix" >/dev/null
fi
library=$(dirname "$(find "$prefix" -name libreaper.so.0)")
export PKG_CONFIG_PATH=$library/pkgconfig LD_LIBRARY_PATH=$library
# Without it a test says that it skips. What cannot be made says why.
if root=$("$here/../debian_root.sh" "$build"); then export REAPER_DEBIAN_ROOT=$root; else printf '%s\n' "${root#SKIP: }"; fi
export GOTOOLCHAIN=local CGO_ENABLED=1
export GOFLAGS="-buildvcs=false ${GOFLAGS-}"
cd "$here/../../bindings/go"

run() { "$go" test -count=1 -v "$@"; }
case $what in
  vet)
    "$go" version
    unformatted=$("$(dirname "$(readlink -f "$go")")/gofmt" -l .)
    [ -z "$unformatted" ] || { printf 'gofmt: %s\n' "$unformatted" && exit 1; }
    "$go" vet ./...
    "$go" vet -tags reapergc ./...
    CGO_ENABLED=0 "$go" vet ./purego
    ;;
  plain)
    run ./...
    CGO_ENABLED=0 run ./purego
    ;;
  race) run -race ./... ;;
  cgo)
    # An experiment of the compiler since Go 1.21, a setting of the runtime before.
    case $("$go" env GOVERSION) in
      go1.19* | go1.20*) GODEBUG=cgocheck=2 run . ;;
      *) GOEXPERIMENT=cgocheck2 run . ;;
    esac
    ;;
  start)
    demo=$(mktemp -d)
    trap 'rm -rf "$demo"' EXIT
    sed -n 's#^//\t##p' doc.go | sed '/^}$/q' >"$demo/main.go"
    module=$PWD
    cd "$demo"
    export GONOSUMDB='*' REAPER_RUNTIME_ROOT=$demo/root # what the modules are is known from go.sum there
    "$go" mod init demo
    "$go" mod edit -require reaper/bindings/go@v0.0.0 -replace "reaper/bindings/go=$module"
    "$go" mod tidy
    [ "$("$go" run .)" = $'hello\nexit status 7' ]
    ;;
  gc) run -tags reapergc ./... ;;
  *) exit 2 ;;
esac
