# Runs the tests of a build directory by label. The report (report.py) reads what is left in $RESULTS.
# shellcheck shell=bash

CTEST_PREFIX=() # a command to run ctest under
CTEST_EXCLUDE='' # a regular expression of names

# run_tests DIRECTORY STAGE LABEL...: a label without a test is a failure. Tests stand alone and may run side by side, whatever
# their labels; what starts real containers two at most, so that no time limit is met on a machine with many processors.
run_tests() {
  local directory=$1 stage=$2 label labels status=0
  shift 2
  for label in "$@"; do
    if "${CTEST_PREFIX[@]}" ctest --test-dir "$directory" --label-regex "^$label\$" \
      --exclude-regex "${CTEST_EXCLUDE:-^\$}" --show-only | grep -q '^Total Tests: 0$'; then
      say "no test has the label $label"
      status=1
    fi
  done
  say "--> $stage: tests with the labels $*"
  labels=$(IFS='|' && printf '%s' "$*")
  "${CTEST_PREFIX[@]}" ctest --test-dir "$directory" --label-regex "^($labels)\$" \
    --exclude-regex "${CTEST_EXCLUDE:-^\$}" --no-tests=error --output-on-failure \
    --parallel "$((JOBS < 2 ? JOBS : 2))" --test-output-size-passed 16777216 --test-output-size-failed 16777216 \
    --output-junit "$RESULTS/$stage.tests.xml" || status=1
  return "$status"
}

# The programs of the tests that ThreadSanitizer is for: nothing else has threads.
threaded_targets() {
  local file kind
  for kind in api threads; do
    for file in "$SOURCE/tests/$kind"/test_*.c; do
      file=${file##*/test_}
      echo "${kind}_${file%.c}"
    done
  done
}
