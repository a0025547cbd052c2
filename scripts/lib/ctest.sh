# Runs the tests of a build directory by label. The report (report.py) reads what is left in $RESULTS.
# shellcheck shell=bash

CTEST_PREFIX=() # a command to run ctest under
CTEST_EXCLUDE='' # a regular expression of names

# run_tests DIRECTORY STAGE LABEL...: a label without a test is a failure. Tests stand alone and may run side by side; what
# starts real containers two at most, so that no time limit is met on a machine with many processors. The compilers of the
# bindings and examples take all processors by themselves.
run_tests() {
  local directory=$1 stage=$2 label status=0
  shift 2
  for label in "$@"; do
    local jobs=$((JOBS < 2 ? JOBS : 2))
    case $label in unit | gate) jobs=$JOBS ;; bindings | examples) jobs=1 ;; esac
    say "--> $stage: tests with the label $label"
    "${CTEST_PREFIX[@]}" ctest --test-dir "$directory" --label-regex "^$label\$" \
      --exclude-regex "${CTEST_EXCLUDE:-^\$}" --no-tests=error --output-on-failure \
      --parallel "$jobs" --test-output-size-passed 16777216 --test-output-size-failed 16777216 \
      --output-junit "$RESULTS/$stage.$label.xml" || status=1
  done
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
