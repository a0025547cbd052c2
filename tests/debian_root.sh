#!/usr/bin/env bash
# A small root of Debian's, made by mmdebstrap once for a build: debian_root.sh BUILD prints its directory. The tests that
# share it run containers in it which cannot write to it. Where there is none to be had, says why, and exits with 77.
set -euo pipefail

root=$1/debian-root
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
  # Extracted and not configured, which takes seconds instead of minutes; of that, these programs need the users alone.
  timeout 300 unshare --mount mmdebstrap --mode=root --variant=extract \
    --include=base-files,base-passwd,bash,coreutils,dash,grep,hostname,libc-bin,perl-base \
    bookworm "$root.new" </dev/null >"$root.log" 2>&1 || {
    touch "$root.failed"
    skip "no mirror of Debian's can be reached here"
  }
  for name in passwd group; do cp "$root.new/usr/share/base-passwd/$name.master" "$root.new/etc/$name"; done
  mv "$root.new" "$root"
  touch "$root.made"
fi
printf '%s\n' "$root"
