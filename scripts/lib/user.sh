# The tests of the release build as an ordinary user, when the caller is root.
# shellcheck shell=bash

TEST_UID=12345 # nobody has it; also no entry in passwd, as in many containers

# as_user COMMAND...: no privilege, no supplementary group, an environment and directories of its own. Go's modules are
# there already (toolchain.sh).
as_user() {
  local path=/usr/local/bin:/usr/bin:/bin
  if have_go; then path=$(dirname "$(command -v go)"):$path; fi
  setpriv --reuid "$TEST_UID" --regid "$TEST_UID" --clear-groups --inh-caps=-all env -i PATH="$path" LC_ALL="$LC_ALL" \
    CI="${CI-}" REAPER_CYCLES="${REAPER_CYCLES-}" HOME="$USER_HOME" TMPDIR="$USER_HOME/tmp" \
    XDG_RUNTIME_DIR="$USER_HOME/run" GOTOOLCHAIN=local GOPROXY=off GOMODCACHE="$GOMODCACHE" GOCACHE="$USER_HOME/go-cache" "$@"
}

# In place when the user can read the tree and the build, otherwise from a copy that it builds itself.
run_as_user() {
  USER_HOME=$(mktemp -d /tmp/reaper-user-XXXXXX) # below directories that everybody may enter
  # shellcheck disable=SC2064 # now, the variable is of this subshell
  trap "rm -rf '$USER_HOME'" EXIT
  mkdir -p "$USER_HOME/tmp" "$USER_HOME/run" "$USER_HOME/results"
  chmod 755 "$USER_HOME"
  chmod 700 "$USER_HOME/run"
  chown -R "$TEST_UID:$TEST_UID" "$USER_HOME"
  local tests=$USER_HOME/build status=0
  if [ -z "$(cannot_read "$SOURCE" "$BUILD/release")" ]; then
    say "the release build, in place"
    mkdir -p "$tests"
    # ctest writes into the directory of its files, which name the programs by absolute paths: copies will do.
    (cd "$BUILD/release" && find . -name CTestTestfile.cmake -exec cp --parents {} "$tests" \;)
  else
    say "the user cannot read $BUILD/release: it gets a copy of the source and builds it"
    copy_source "$USER_HOME/source"
    if [ -d "$GOCACHE" ]; then # with the standard library, compiled
      cp -r "$GOCACHE" "$USER_HOME/go-cache"
      chown -R "$TEST_UID:$TEST_UID" "$USER_HOME/go-cache"
    fi
    SOURCE=$USER_HOME/source as_user_build "$tests"
  fi
  chown -R "$TEST_UID:$TEST_UID" "$USER_HOME"
  RESULTS_REAL=$RESULTS RESULTS=$USER_HOME/results CTEST_PREFIX=(as_user)
  # What wears the library out does the same for everybody: here are a tenth of the cycles, and of the walks that root has
  # made, the kills in a plain container and with a filter, and the failures with a filter.
  export REAPER_CYCLES=1000
  CTEST_EXCLUDE='^faults\.(allocations|kill_walk_(supervised|terminal|hooks|notify)|errno_walk(_notify)?)$'
  run_tests "$tests" user unit api faults hostile threads cli docs || status=1
  cp "$RESULTS"/*.xml "$RESULTS_REAL/"
  return "$status"
}

# The first file or directory that is closed to the user, or what find complains about. Not what cargo has built, nor the
# tools of other stages: locks are closed to others; nor a Debian root: no test that is run here looks there.
cannot_read() {
  as_user find "$@" \( -name .git -o -path "$BUILD/release/bindings" -o -path "$BUILD/tools" -o -path "$BUILD/*/debian-root" \) -prune \
    -o -type f -not -readable -print -quit -o -type d -not -executable -print -quit 2>&1
}

copy_source() {
  mkdir -p "$1"
  our_files . | (cd "$SOURCE" && tar -c -T - -f -) | tar -x -C "$1" -f -
  chown -R "$TEST_UID:$TEST_UID" "$1"
  chmod -R u+rwX,go+rX "$1"
}

as_user_build() {
  as_user cmake -S "$SOURCE" -B "$1" -DCMAKE_BUILD_TYPE=Release "${FAST_BUILD[@]}" -DREAPER_TESTS=ON -DCMAKE_INSTALL_LIBDIR=lib
  as_user cmake --build "$1" --parallel "$JOBS"
}
