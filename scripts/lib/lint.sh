# clang-format, clang-tidy and shellcheck over what we wrote. Each check_* returns whether it has something to say.
# shellcheck shell=bash

# our_files PATTERN...: tracked or new files, not what is ignored. Outside a git checkout, everything.
our_files() {
  cd "$SOURCE" || return
  if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
      [ ! -f "$file" ] || printf '%s\n' "$file"
    done
  else
    local pattern
    for pattern in "$@"; do find . -path "./$pattern" -type f -not -path './build*/*' | sed 's#^\./##'; done
  fi
}

# Since version 22 it leaves the standard library's headers alone, which takes a seventh of the time. Debian 12 has none
# that is new enough; PyPI has it as a wheel, which goes into the build tree.
TIDY_VERSION=23.1.4
TIDY_HOME=$BUILD/tools/clang-tidy-$TIDY_VERSION
fetch_clang_tidy() {
  [ ! -x "$TIDY_HOME/bin/clang-tidy" ] || return 0
  rm -rf "$TIDY_HOME"
  python3 -m venv "$TIDY_HOME" &&
    "$TIDY_HOME/bin/pip" install --quiet --disable-pip-version-check --no-deps "clang-tidy==$TIDY_VERSION"
}

check_format() {
  cd "$SOURCE" || return
  local files
  mapfile -t files < <(our_files '*.c' '*.cpp' '*.h' '*.hpp')
  clang-format-19 --dry-run -Werror "${files[@]}" || return
  say "clang-format: ${#files[@]} files are in order"
}

# Nodes of the analyzer for each function, a ninth of its default, which the soak gives it: a few functions that append to
# strings use up whatever they are given, which was more than half of their files' time, and have every block looked at long before.
TIDY_NODES=${TIDY_NODES:-25000}

# What is compiled only in a test's target (examples) is in the data base, too.
check_tidy() {
  cd "$SOURCE" || return
  configure "$BUILD/lint" -DCMAKE_BUILD_TYPE=Release -DREAPER_TESTS=ON -DREAPER_UNITY=OFF >/dev/null || return
  # clang refuses flags that only gcc knows. And a file is looked at once for each of its entries: the first will do.
  mkdir -p "$BUILD/lint/tidy"
  python3 - "$BUILD/lint/compile_commands.json" "$BUILD/lint/tidy/compile_commands.json" <<'PYTHON'
import json, sys
first = {}
for entry in json.load(open(sys.argv[1])):
    for flag in (" -fno-tree-loop-distribute-patterns", " -fno-gnu-unique"):
        entry["command"] = entry["command"].replace(flag, "")
    first.setdefault(entry["file"], entry)
json.dump(list(first.values()), open(sys.argv[2], "w"), indent=1)
PYTHON
  our_files 'src/*.cpp' 'cli/*.cpp' 'examples/*.c' | while read -r file; do
    if grep -qF "\"file\": \"$SOURCE/$file\"" "$BUILD/lint/compile_commands.json"; then printf '%s\n' "$file"; fi
  done >"$RESULTS/tidy-files"
  if ! xargs -r -n 2 -P "$JOBS" "$TIDY_HOME/bin/clang-tidy" -p "$BUILD/lint/tidy" --quiet --warnings-as-errors='*' \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument \
    --extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg="max-nodes=$TIDY_NODES" \
    <"$RESULTS/tidy-files" 2>"$RESULTS/tidy-stderr"; then
    grep -v 'warnings\? generated' "$RESULTS/tidy-stderr"
    return 1
  fi
  say "clang-tidy: $(wc -l <"$RESULTS/tidy-files") files are in order"
}

check_shell() {
  cd "$SOURCE" || return
  local files
  mapfile -t files < <(our_files scripts .ci tests packaging | xargs grep -lE '^#!.*(bash|/sh)|shellcheck shell')
  shellcheck -x "${files[@]}" || return
  say "shellcheck: ${#files[@]} files are in order"
}
