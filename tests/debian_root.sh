#!/usr/bin/env bash
# A root of Debian's, made by mmdebstrap once for a build as debootstrap makes one of its variant minbase: its packages are
# configured, and apt is among them. debian_root.sh BUILD prints its directory. The tests that share it run containers in it
# which cannot write to it. Where there is none to be had, says why, and exits with 77.
set -euo pipefail

root=$1/debian-root
# The stages' builds lie side by side, and the release build comes first.
if [ -e "${1%/*}/release/debian-root.made" ]; then root=${1%/*}/release/debian-root; fi
skip() {
  printf 'SKIP: %s\n' "$*"
  exit 77
}
if [ ! -e "$root.made" ]; then
  [ "$(id -u)" = 0 ] || skip "a Debian root is made by root"
  command -v mmdebstrap >/dev/null || skip "no mmdebstrap here"
  unshare --mount true 2>/dev/null || skip "making namespaces needs CAP_SYS_ADMIN"
  exec 9>"$root.lock"
  flock 9
fi
if [ ! -e "$root.made" ]; then
  # The mirror is not asked again by each of the tests.
  [ -z "$(find "$root.failed" -mmin -30 2>/dev/null)" ] || skip "no mirror of Debian's can be reached here"
  rm -rf --one-file-system "$root" "$root.new" "$root.failed"
  # In a mount namespace of its own: what mmdebstrap mounts ends with it, also when it is killed.
  timeout 300 unshare --mount mmdebstrap --mode=root --variant=minbase --include=python3-minimal \
    bookworm "$root.new" </dev/null >"$root.log" 2>&1 || {
    touch "$root.failed"
    skip "no mirror of Debian's can be reached here"
  }
  mv "$root.new" "$root"
  touch "$root.made"
fi
printf '%s\n' "$root"
