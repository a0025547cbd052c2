# Finds the generator, Go and Rust; says which packages bring what is not there.
# shellcheck shell=bash

# Newer toolchains than Debian's usually lie here.
for directory in /usr/local/go/bin "$HOME/go/bin" /usr/lib/go-*/bin "$HOME/.cargo/bin" /usr/local/cargo/bin; do
  [ -d "$directory" ] && PATH=$PATH:$directory
done
export PATH

# version_at_least HAVE WANTED
version_at_least() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

have_go() {
  local version
  version=$(go version 2>/dev/null | sed -n 's/^go version go\([0-9.]*\).*/\1/p')
  [ -n "$version" ] && version_at_least "$version" 1.19
}

# Packages of the tools that this tree needs and this machine lacks.
packages_generator() { command -v ninja >/dev/null || command -v make >/dev/null || echo ninja-build; }
packages_go() { [ -z "$(go_modules)" ] || have_go || echo golang-go; }

# Modules that the tests in Go need, into the build tree: what was fetched once serves later runs and other users.
export GOMODCACHE=$BUILD/go/mod GOCACHE=$BUILD/go/cache GOTOOLCHAIN=local GOFLAGS=-modcacherw
go_modules() { find "$SOURCE/bindings" "$SOURCE/tests" -name go.mod 2>/dev/null; }
fetch_go_modules() {
  local module status=0
  for module in $(go_modules); do
    # tests/profiles is data for one test, which says what it lacks: a Go of before 1.23 does not fetch it.
    (cd "$(dirname "$module")" && go mod download) || [ "$module" = "$SOURCE/tests/profiles/go.mod" ] || status=1
  done
  return "$status"
}

# Crates of the features of bindings/rust, for a newer Rust than Debian's, which needs none.
fetch_crates() {
  local version
  version=$(cargo --version 2>/dev/null | sed 's/^cargo \([0-9.]*\).*/\1/')
  [ -z "$version" ] || ! version_at_least "$version" 1.71 || (cd "$SOURCE/bindings/rust" && cargo fetch --locked)
}

# configure DIRECTORY [OPTION...]: lib and not lib/TRIPLET, so that all paths are short and known.
configure() {
  local directory=$1 generator=Ninja
  shift
  command -v ninja >/dev/null || generator='Unix Makefiles'
  [ ! -e "$directory/CMakeCache.txt" ] ||
    generator=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$directory/CMakeCache.txt")
  cmake -S "$SOURCE" -B "$directory" -G "$generator" -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_INSTALL_PREFIX="$directory/nothing-is-installed-here" "$@"
}

# build DIRECTORY [TARGET...]
build() {
  local directory=$1
  shift
  cmake --build "$directory" --parallel "$JOBS" ${1:+--target "$@"}
}

# Installs a build into DIRECTORY/prefix. The prefix is said only now, as in the plain three commands, so that tests can
# have a machine on which nothing is installed where the library was told at its build.
install_build() {
  cmake --install "$1" --prefix "$1/prefix" >/dev/null
}
