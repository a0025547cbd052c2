# Paths, messages and timed stages; sourced by scripts/run and scripts/test.
# shellcheck shell=bash

export LC_ALL=C.UTF-8
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${REAPER_BUILD_DIR:-$SOURCE/build} # everything that is built or installed lies below
JOBS=$(nproc)
AT_TERMINAL=no # stages have no standard input, so this is asked here
[ ! -t 0 ] || AT_TERMINAL=yes

say() { printf '%s\n' "$*"; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# stage NAME FUNCTION: runs the function, shows its output, keeps it in the stage's log and notes seconds and result in
# $RESULTS/stages. The function's status goes to STAGE_STATUS, for `if stage` and `stage ||` would switch `set -e` off
# inside the function.
STAGE_STATUS=0
stage() {
  local name=$1 function=$2 began=$SECONDS seconds
  mkdir -p "$RESULTS"
  say "==> $name"
  set +e
  (
    set -e
    "$function"
  ) 2>&1 </dev/null | tee "$RESULTS/$name.log"
  STAGE_STATUS=${PIPESTATUS[0]}
  set -e
  seconds=$((SECONDS - began))
  printf '%s\t%s\t%s\n' "$name" "$seconds" "$STAGE_STATUS" >>"$RESULTS/stages"
  if [ "$STAGE_STATUS" = 0 ]; then
    say "<== $name: $seconds s, ok"
  else
    say "<== $name: $seconds s, FAILED ($STAGE_STATUS)"
  fi
}
