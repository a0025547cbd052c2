// spec: writes a config.json to begin with into the bundle, and never over one that is there.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "commands.h"
#include "handles.h"
#include "report.h"

namespace reaper::cli {

namespace {

int write_new(const std::string& path, std::string_view text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);
  if (file < 0 && errno == EEXIST) return fail(path + ": EEXIST: it is there and is not overwritten");
  if (file < 0) return fail_errno("make " + path);
  bool written = true;
  while (written && !text.empty()) {
    const ssize_t size = write(file, text.data(), text.size());
    if (size > 0) text.remove_prefix(static_cast<size_t>(size));
    written = size > 0 || (size < 0 && errno == EINTR);
  }
  int code = written ? 0 : fail_errno("write " + path);
  if (close(file) != 0 && code == 0) code = fail_errno("close " + path);
  if (code != 0) unlink(path.c_str());
  return code;
}

}  // namespace

int command_spec(const Arguments& arguments) {
  char* json = nullptr;
  reaper_error* error = nullptr;
  if (reaper_spec(&json, &error) != REAPER_OK) return fail(error);
  const Text text(json);
  std::string path = arguments.has(Opt::bundle) ? arguments.text(Opt::bundle) : ".";
  return write_new(path + "/config.json", text.get());
}

}  // namespace reaper::cli
