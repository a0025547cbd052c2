#!/usr/bin/env bash
# Tests bindings/rust against a build of the library: run_rust.sh BUILD CARGO WHAT, where CARGO is the program cargo and
# WHAT one of
#   oldest    what has no optional feature, offline and without any other crate: Debian's Rust
#   lint      rustfmt, clippy and rustdoc have nothing to say
#   features  the tests with serde and tokio
#   dlopen    the tests with the library loaded
#   vendored  a life with the library built from the tree
#   start     the program of README.md as it has it begun
#   audit     known defects of the crates that the features need
# Exits with 77 where it cannot run, and says why.
set -euo pipefail

build=$1 cargo=$2 what=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
crates=$(cd "$here/../../bindings/rust" && pwd)
skip() {
  printf 'SKIP: %s\n' "$*"
  exit 77
}
[ -x "$cargo" ] || skip "this Rust is not installed"
version=$("$cargo" --version | sed 's/^cargo \([0-9.]*\).*/\1/')
[ "$what" = oldest ] || [ "$(printf '%s\n' 1.71 "$version" | sort -V | head -n 1)" = 1.71 ] ||
  skip "the features need a newer Rust"
[ "$what" = oldest ] || [ -w "$build" ] || skip "the crates were fetched by another user"
bin=$(dirname "$cargo")
export PATH=$bin:$PATH

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

# Cargo looks up optional and test crates even where it needs none, so the copy's manifest has none.
oldest() {
  local copy
  copy=$(mktemp -d)
  # shellcheck disable=SC2064 # now, the variable is of this function
  trap "rm -rf '$copy'" EXIT
  mkdir -p "$copy/bindings/rust"
  cp -r "$here/../../include" "$copy/"
  cp -r "$crates/Cargo.toml" "$crates/reaper" "$crates/reaper-sys" "$copy/bindings/rust/" # and no target or lock
  cd "$copy/bindings/rust"
  sed -i '/^\[dev-dependencies\]/,$d; /optional = true/d; /"dep:/d' reaper/Cargo.toml
  CARGO_HOME=$copy/home CARGO_TARGET_DIR=$copy/target "$cargo" test --offline --workspace --examples --tests --lib
  CARGO_HOME=$copy/home CARGO_TARGET_DIR=$copy/target "$cargo" test --offline --workspace --doc
}

[ "$what" = oldest ] || cd "$crates"
export CARGO_TARGET_DIR=$build/bindings/rust
# Nobody debugs these programs, nor builds them twice: less to compile, and less than half of the disk.
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0
case $what in
  oldest) oldest ;;
  lint)
    "$cargo" fmt --check
    for features in reaper/serde,reaper/tokio reaper/dlopen; do
      "$cargo" clippy --locked --all-targets --features "$features" -- -D warnings
    done
    RUSTDOCFLAGS="-D warnings" "$cargo" doc --locked --no-deps --features reaper/serde,reaper/tokio
    ;;
  features) "$cargo" test --locked --features reaper/serde,reaper/tokio ;;
  dlopen)
    "$cargo" test --locked -p reaper --features dlopen
    # Nothing is linked: without the library it runs, and says what is missing.
    unset LD_LIBRARY_PATH
    "$cargo" run --locked -p reaper --features dlopen --example run id / >"$build/bindings/said" 2>&1 || true
    grep -q "libreaper.so.0 cannot be loaded" "$build/bindings/said"
    ;;
  vendored)
    unset PKG_CONFIG_PATH LD_LIBRARY_PATH
    "$cargo" test --locked -p reaper --features vendored --test lifecycle a_whole_life
    ;;
  start)
    demo=$(mktemp -d)
    trap 'rm -rf "$demo"' EXIT
    cd "$demo"
    export CARGO_NET_OFFLINE=true CARGO_TARGET_DIR=$demo/target REAPER_RUNTIME_ROOT=$demo/root
    # As README.md has it, but for the place of the checkout.
    mapfile -t commands < <(sed -n "s#/path/to/reaper/bindings/rust#$crates#; s#^    \(cargo .*\)#\1#p" "$crates/README.md")
    [ ${#commands[@]} = 2 ]
    for command in "${commands[@]}"; do eval "$command" || exit; done
    sed -n '/^.\{3\}rust$/,/^.\{3\}$/{//!p}' "$crates/README.md" >src/main.rs
    # What the optional crates' versions are is known from the lock there.
    cp "$crates/Cargo.lock" .
    [ "$("$cargo" run)" = $'hello\nSome(7)' ]
    ;;
  audit)
    "$cargo" audit --version >/dev/null 2>&1 || skip "cargo-audit, or its data base, is not here"
    "$cargo" audit
    ;;
  *) exit 2 ;;
esac
