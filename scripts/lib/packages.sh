# Which Debian packages are needed for what, and how the missing ones are installed.
# shellcheck shell=bash

# libseccomp-dev: its header; the library itself is loaded when a filter is asked for, and a build does without.
PACKAGES_BUILD=(g++ cmake pkg-config libcjson-dev libcap-ng-dev libseccomp-dev)
# What the stage lint needs: cmocka, the tests' framework, which is configured with them. clang-*-19: Debian's clang 14 cannot
# parse <expected>. python3-venv: clang-tidy and zig are packages of PyPI (lint.sh, tarball.sh).
PACKAGES_LINT=(libcmocka-dev clang-format-19 python3 python3-venv shellcheck)

# clang-19 and libclang-rt-19-dev are for fuzzing. gcovr: coverage. python3: gates, tests of the CLI,
# the service that a container runs. libcap2-bin: capsh, setcap. iproute2: ss, ip. util-linux: setpriv, setarch, unshare. procps: ps. strace: injects faults into system calls.
# abigail-tools: abidw and abidiff, which compare the library's ABI with the one in tests/abi.
# umoci, buildah, podman with conmon: callers of the CLI, and where bundles come from.
# busybox-static: the root file system of containers that have one of their own.
# mandoc: looks over the manual. golang-1.19-go, rustc, cargo: the oldest Go and Rust that the bindings promise to work with.
# debhelper, mmdebstrap: the Debian packages, and the clean root that they are installed in (tests/dist); dpkg-dev, which
# comes with debhelper, unpacks the source packages of the tarball.
PACKAGES_TEST=(gcovr libcap2-bin iproute2 util-linux procps strace mandoc busybox-static
  clang-19 libclang-rt-19-dev golang-1.19-go rustc cargo abigail-tools debhelper mmdebstrap
  umoci buildah podman conmon)

# podman's default seccomp profile, which a shell and other programs are run under (tests/cli/seccomp_profiles_test.go).
PACKAGES_TEST+=(golang-github-containers-common)

# The reference of the C API, whose warnings are errors (gate.manual).
PACKAGES_TEST+=(doxygen)

# What is handed out for others (tests/dist): rpmbuild and rpm; the cross compiler for arm64, and what runs its programs.
PACKAGES_TEST+=(rpm g++-aarch64-linux-gnu qemu-user-static)

# systemd-analyze, which looks over the units of the cookbook.
PACKAGES_TEST+=(systemd)

# Shells whose completions are tried beside bash's (gate.completion).
PACKAGES_TEST+=(zsh fish)

# newuidmap and newgidmap, which give the container of an ordinary user more than one id.
PACKAGES_TEST+=(uidmap)

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# As root directly, otherwise by sudo, which may ask for a password only at a terminal.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  elif [ "$AT_TERMINAL" = yes ]; then
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

may_be_root() {
  [ "$(id -u)" = 0 ] && return 0
  command -v sudo >/dev/null || return 1
  [ "$AT_TERMINAL" = yes ] || sudo -n true 2>/dev/null
}

# install_packages PACKAGE...: touches apt only when one is missing, so that a second run needs no network.
install_packages() {
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  if [ ${#missing[@]} = 0 ]; then
    say "packages: all $# are installed"
    return 0
  fi
  command -v apt-get >/dev/null || die "these packages are missing, and apt-get with them: ${missing[*]}"
  if ! may_be_root; then
    say "Packages are missing. As root: apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  say "packages: installing ${missing[*]}"
  as_root apt-get update -q
  as_root apt-get install -y -q --no-install-recommends "${missing[@]}"
}
