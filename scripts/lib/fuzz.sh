# libFuzzer over the targets of tests/fuzz, each for a short while.
# shellcheck shell=bash

FUZZ_SECONDS=${FUZZ_SECONDS:-10} # for each target; more by hand: FUZZ_SECONDS=3600 scripts/test packages fuzz

# New inputs that reach something new stay in $BUILD/fuzz/corpus; a failing one is kept in $BUILD/fuzz and named.
run_fuzzers() {
  local name status=0 seeds targets
  mapfile -t targets <"$SOURCE/tests/fuzz/targets"
  configure "$BUILD/fuzz" "${INSTRUMENTED[@]}" -DREAPER_TESTS=ON -DREAPER_FUZZ=ON \
    -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 -DREAPER_SANITIZE=fuzzer-no-link,address,undefined
  build "$BUILD/fuzz" "${targets[@]/#/fuzz_}"
  for name in "${targets[@]}"; do
    seeds=("$SOURCE/tests/fuzz/corpus/$name")
    [ "$name" != config ] || seeds=("$SOURCE/tests/data/plan" "$SOURCE/tests/data/config")
    mkdir -p "$BUILD/fuzz/corpus/$name"
    say "--> fuzz: $name, $FUZZ_SECONDS s"
    "$BUILD/fuzz/bin/fuzz_$name" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
      -print_final_stats=1 -artifact_prefix="$BUILD/fuzz/$name-" "$BUILD/fuzz/corpus/$name" "${seeds[@]}" 2>&1 |
      grep -v "^INFO:" || status=1
    [ "${PIPESTATUS[0]}" = 0 ] || status=1
  done
  return "$status"
}
