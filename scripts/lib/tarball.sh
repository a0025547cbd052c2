# The release tarball: library and programs that run wherever glibc is new enough, with nothing else of the system linked.
# Its compiler is zig's front end of clang: it links against the glibc that it is told, and brings libc++, which is linked in.
# shellcheck shell=bash

GLIBC=2.28 # Debian 10, RHEL 8, Ubuntu 18.10
ZIG_VERSION=0.17.1
ZIG_HOME=$BUILD/tools/ziglang-$ZIG_VERSION
DEBIAN_SOURCES=$BUILD/tools/debian-sources

# Where distributions have their libraries: Debian's and its relatives', those of Red Hat and SUSE, Arch's. The 64-bit
# directories come first: /usr/lib is where some have their 32-bit libraries.
library_directories() {
  printf '%s' "/lib/$1-linux-gnu;/usr/lib/$1-linux-gnu;/lib64;/usr/lib64;/lib;/usr/lib"
}

# What could not be fetched is told by a status of its own (EX_TEMPFAIL): no build has failed.
not_fetched() {
  say "$* cannot be fetched here" >&2
  exit 75
}

# PyPI has it as a wheel, which goes into the build tree.
fetch_zig() {
  if [ ! -e "$ZIG_HOME/fetched" ]; then
    rm -rf "$ZIG_HOME"
    if ! { python3 -m venv "$ZIG_HOME" &&
      "$ZIG_HOME/bin/pip" install --quiet --disable-pip-version-check --no-deps "ziglang==$ZIG_VERSION"; } >&2; then
      not_fetched "ziglang $ZIG_VERSION"
    fi
    touch "$ZIG_HOME/fetched"
  fi
  ZIG=$(echo "$ZIG_HOME"/lib/python3*/site-packages/ziglang/zig)
}

# The source packages of stable, with what security has repaired in them, signatures checked; a day later they are fetched
# again. The lists and states of the machine's own apt are neither read nor written.
fetch_debian_sources() {
  [ -z "$(find "$DEBIAN_SOURCES/fetched" -mmin -1440 2>/dev/null)" ] || return 0
  rm -rf "$DEBIAN_SOURCES"
  mkdir -p "$DEBIAN_SOURCES/apt/state/lists/partial" "$DEBIAN_SOURCES/apt/cache/archives/partial"
  : >"$DEBIAN_SOURCES/apt/status"
  sed 's/^    //' >"$DEBIAN_SOURCES/apt/debian.sources" <<SOURCES
    Types: deb-src
    URIs: http://deb.debian.org/debian
    Suites: bookworm bookworm-updates
    Components: main
    Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

    Types: deb-src
    URIs: http://deb.debian.org/debian-security
    Suites: bookworm-security
    Components: main
    Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
  sed 's/^    //' >"$DEBIAN_SOURCES/apt/apt.conf" <<CONF
    Dir::State "$DEBIAN_SOURCES/apt/state";
    Dir::State::status "$DEBIAN_SOURCES/apt/status";
    Dir::Cache "$DEBIAN_SOURCES/apt/cache";
    Dir::Etc::SourceList "/dev/null";
    Dir::Etc::SourceParts "$DEBIAN_SOURCES/apt";
    Acquire::Languages "none";
    APT::Sandbox::User "";
    APT::Update::Error-Mode "any";
CONF
  (
    export APT_CONFIG=$DEBIAN_SOURCES/apt/apt.conf
    cd "$DEBIAN_SOURCES"
    apt-get -qq update && apt-get -qq source --only-source cjson libcap-ng libseccomp
  ) >&2 || not_fetched "source packages of Debian's"
  touch "$DEBIAN_SOURCES/fetched"
}

# Both, for dist.tarball, which tries again what could not be fetched, and says so.
fetch_ahead() {
  (fetch_zig) || true
  (fetch_debian_sources) || true
}

# The version of a source package, as its changelog has it.
source_version() { sed -n '1s/.*(\(.*\)).*/\1/p' "$(echo "$DEBIAN_SOURCES/$1"-*/debian/changelog)"; }

# wrapper NAME WORD...: a program of zig's as one word, which CMake wants. CMake has clang write a precompiled header by
# -Xclang -emit-pch and -c, which zig would take for an object; it needs neither, but that the language is c++-header.
wrapper() {
  local name=$1
  shift
  cat >"$TOOLS/$name" <<WRAPPER
#!/bin/sh
case " \$* " in *" -emit-pch "*)
  held=
  for word; do
    shift
    case \$held\$word in
      -c | -Xclang-emit-pch) held= ;;
      -Xclang) held=\$word ;;
      *) set -- "\$@" \$held "\$word" && held= ;;
    esac
  done
  ;;
esac
exec $(printf '%q ' "$ZIG" "$@") "\$@"
WRAPPER
  chmod +x "$TOOLS/$name"
}

write_toolchain() {
  mkdir -p "$TOOLS"
  wrapper cc cc -target "$1-linux-gnu.$GLIBC"
  wrapper c++ c++ -target "$1-linux-gnu.$GLIBC"
  wrapper ar ar
  wrapper ranlib ranlib
  export ZIG_GLOBAL_CACHE_DIR=$BUILD/tools/zig-cache ZIG_LOCAL_CACHE_DIR=$TOOLS/cache
}

# pc NAME VERSION LIBRARIES
pc() {
  printf '%s\n' "Name: $1" "Description: of Debian's source package" "Version: ${2%%-*}" \
    "Libs: $3" "Cflags: -I$DEPENDENCIES/include" >"$DEPENDENCIES/$1.pc"
}

# cJSON, which is linked in, and the headers of what is loaded when it is wanted.
make_dependencies() {
  local sources=$DEBIAN_SOURCES version
  mkdir -p "$DEPENDENCIES/include/cjson"
  cp "$sources"/cjson-*/cJSON.h "$DEPENDENCIES/include/cjson/"
  (cd "$sources"/cjson-*/ && "$TOOLS/cc" -Os -fPIC -fvisibility=hidden -fstack-protector-strong -DCJSON_HIDE_SYMBOLS \
    -c cJSON.c -o "$DEPENDENCIES/cJSON.o")
  "$TOOLS/ar" rcs "$DEPENDENCIES/libcjson.a" "$DEPENDENCIES/cJSON.o"
  pc libcjson "$(source_version cjson)" "-L$DEPENDENCIES -lcjson"
  cp "$sources"/libcap-ng-*/src/cap-ng.h "$sources"/libseccomp-*/include/seccomp-syscalls.h "$DEPENDENCIES/include/"
  pc libcap-ng "$(source_version libcap-ng)" ''
  version=$(source_version libseccomp)
  version=${version%%-*}
  sed "s/@VERSION_MAJOR@/${version%%.*}/; s/@VERSION_MICRO@/${version##*.}/
       s/@VERSION_MINOR@/$(cut -d. -f2 <<<"$version")/" \
    "$sources"/libseccomp-*/include/seccomp.h.in >"$DEPENDENCIES/include/seccomp.h"
  pc libseccomp "$version" ''
}

# The licenses of what is linked in ask for their texts; the rest is what one needs to make the same bytes again.
write_notices() {
  cp "$WORK/source/LICENSE" "$1/"
  mkdir -p "$1/licenses"
  cp "$DEBIAN_SOURCES"/cjson-*/LICENSE "$1/licenses/cJSON"
  cp "${ZIG%/*}/lib/libcxx/LICENSE.TXT" "$1/licenses/libc++"
  printf '%s\n' "reaper $(cat "$WORK/source/COMMIT")" "cjson $(source_version cjson)" "libcap-ng $(source_version libcap-ng)" \
    "libseccomp $(source_version libseccomp)" "ziglang $ZIG_VERSION" "glibc $GLIBC" >"$1/VERSIONS"
}

make_tarball() {
  local architecture=x86_64
  local name=$NAME-linux-$architecture
  TOOLS=$WORK/tools DEPENDENCIES=$WORK/dependencies
  copy_tree "$WORK/source"
  fetch_zig
  fetch_debian_sources
  write_toolchain "$architecture"
  make_dependencies
  # Without -O, zig would link a libc++ for people who debug it, and all of it checked at run time.
  PKG_CONFIG_LIBDIR=$DEPENDENCIES cmake -S "$WORK/source" -B "$WORK/build" -DCMAKE_BUILD_TYPE=Release \
    -DREAPER_STATIC=OFF -DREAPER_PCH=ON -DREAPER_WERROR=ON \
    -DREAPER_SYSTEM_LIBDIRS="$(library_directories "$architecture")" \
    -DCMAKE_INSTALL_PREFIX=/usr/local -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="$architecture" \
    -DCMAKE_C_COMPILER="$TOOLS/cc" -DCMAKE_CXX_COMPILER="$TOOLS/c++" -DCMAKE_AR="$TOOLS/ar" -DCMAKE_RANLIB="$TOOLS/ranlib" \
    -DCMAKE_C_FLAGS=-Os -DCMAKE_CXX_FLAGS=-Os -DCMAKE_EXE_LINKER_FLAGS=-s -DCMAKE_SHARED_LINKER_FLAGS=-s
  cmake --build "$WORK/build" --parallel "$JOBS"
  cmake --install "$WORK/build" --prefix "$WORK/$name" >/dev/null
  # The loader rule (docs/architecture.md). zig's linker does not know --disable-new-dtags.
  python3 "$SOURCE/scripts/lib/rpath.py" "$WORK/$name/bin/reaper-runtime"
  write_notices "$WORK/$name/share/doc/reaper"
  pack "$WORK" "$name"
}
