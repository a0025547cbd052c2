# libFuzzer over the targets of tests/fuzz, each for a short while.
# shellcheck shell=bash

FUZZ_SECONDS=${FUZZ_SECONDS:-6} # for each target; more by hand: FUZZ_SECONDS=3600 scripts/test packages fuzz

# fuzz_target NAME: what it says goes to a file. New inputs that reach something new stay in $BUILD/fuzz/corpus; a failing
# one is kept in $BUILD/fuzz and named.
fuzz_target() {
  local name=$1 seeds=("$SOURCE/tests/fuzz/corpus/$1")
  [ "$name" != config ] || seeds=("$SOURCE/tests/data/plan" "$SOURCE/tests/data/config")
  mkdir -p "$BUILD/fuzz/corpus/$name"
  "$BUILD/fuzz/bin/fuzz_$name" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
    -print_final_stats=1 -artifact_prefix="$BUILD/fuzz/$name-" "$BUILD/fuzz/corpus/$name" "${seeds[@]}" \
    >"$RESULTS/fuzz-$name.log" 2>&1
}

# finish_fuzzer: waits for the one that began first, and shows what it has said.
finish_fuzzer() {
  local name=${running[0]%=*} pid=${running[0]#*=} status=0
  running=("${running[@]:1}")
  wait "$pid" || status=$?
  say "--> fuzz: $name, $FUZZ_SECONDS s"
  grep -v '^INFO:' "$RESULTS/fuzz-$name.log" || [ "$status" = 0 ] || say "it says nothing"
  [ "$status" = 0 ] || say "fuzz_$name: status $status"
  return "$status"
}

# As many at a time as there are processors: each takes one.
run_fuzzers() {
  local name status=0 targets running=()
  mapfile -t targets <"$SOURCE/tests/fuzz/targets"
  configure "$BUILD/fuzz" "${INSTRUMENTED[@]}" -DREAPER_TESTS=ON -DREAPER_FUZZ=ON \
    -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 -DREAPER_SANITIZE=fuzzer-no-link,address,undefined
  build "$BUILD/fuzz" "${targets[@]/#/fuzz_}"
  for name in "${targets[@]}"; do
    [ "${#running[@]}" -lt "$JOBS" ] || finish_fuzzer || status=1
    fuzz_target "$name" &
    running+=("$name=$!")
  done
  while [ "${#running[@]}" -gt 0 ]; do finish_fuzzer || status=1; done
  return "$status"
}
