// A container that prints a line as a user: hello [UID GID], by default the caller's own.
//
//     c++ -std=c++17 hello.cpp $(pkg-config --cflags --libs reaper) -o hello
#include <unistd.h>

#include <cstdio>
#include <reaper.hpp>
#include <string>

namespace {

std::string config(const std::string &uid, const std::string &gid) {
  return R"json({"ociVersion": "1.2.0", "process": {"cwd": "/", "noNewPrivileges": true,
    "args": ["/bin/sh", "-c", "echo hello from user $(id -u)"],
    "env": ["PATH=/usr/bin:/bin"], "user": {"uid": )json" +
         uid + R"json(, "gid": )json" + gid + "}}}";
}

// A container outlives its handle and this program: it is removed in any case.
bool see_through(reaper::container &container) {
  try {
    container.start();
    const bool success = container.wait().exit_code == 0;
    container.remove();
    return success;
  } catch (const reaper::error &) {
    container.remove(REAPER_DELETE_FORCE);
    throw;
  }
}

}  // namespace

int main(int argc, char **argv) {
  try {
    reaper::create_options options;
    options.config = argc == 3 ? config(argv[1], argv[2]) : config(std::to_string(getuid()), std::to_string(getgid()));
    options.stdio = {0, 1, 2};
    reaper::runtime runtime;
    reaper::container container = runtime.create("hello", options);
    return see_through(container) ? 0 : 1;
  } catch (const reaper::error &failure) {
    std::fprintf(stderr, "%s: %s (stage %s)\n", failure.name(), failure.what(), failure.stage().c_str());
    return 1;
  }
}
