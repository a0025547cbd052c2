#include "runtime/bundle.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/json.h"
#include "core/utf8.h"

namespace reaper {

namespace {

Result<std::string> absolute(const std::string& path) {
  if (!path.empty() && path.front() == '/') return path;
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof directory) == nullptr) return fail(system_error("bundle", "getcwd"));
  if (directory[0] != '/') return fail(system_error("bundle", "getcwd", ENOENT));  // "(unreachable)", getcwd(3)
  if (path.empty() || path == ".") return std::string(directory);
  return std::string(directory) + "/" + path;
}

Error bundle_error(const std::string& what, int number) {
  Error error = system_error("bundle", what, number);
  if (number == ENOENT || number == ENOTDIR) {
    error.code = REAPER_ERR_NOT_FOUND;
    error.message = what + ": " + errno_name(number) + ": " + (number == ENOENT ? "it is missing" : "not a directory");
  }
  return error;
}

Result<std::string> read_config(int directory, const std::string& bundle) {
  const std::string name = "config.json of bundle \"" + bundle + "\"";
  const Error irregular = {REAPER_ERR_INVALID, 0, name + " is not a regular file", "", "bundle"};
  // O_NONBLOCK: a FIFO must not hang us. O_NOCTTY: a terminal must not become ours.
  const Fd file(openat(directory, "config.json", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!file) return fail(errno == ENXIO ? irregular : bundle_error(name, errno));  // ENXIO: a socket (open(2))
  struct stat status = {};
  if (fstat(file.get(), &status) != 0) return fail(system_error("bundle", "fstat " + name));
  if (!S_ISREG(status.st_mode)) return fail(irregular);
  const Error too_large = {REAPER_ERR_INVALID, EFBIG, name + " is larger than 16 MiB", "", "bundle"};
  if (status.st_size > static_cast<off_t>(json_max_bytes)) return fail(too_large);
  std::string text(static_cast<size_t>(status.st_size) + 1, '\0');
  size_t used = 0;
  for (;;) {
    const ssize_t got = read(file.get(), text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error("bundle", "read " + name));
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used > json_max_bytes) return fail(too_large);
    if (used == text.size()) text.resize(text.size() * 2);  // it grew while we read
  }
  text.resize(used);
  return text;
}

}  // namespace

Result<Bundle> read_bundle(const CreateRequest& request) {
  Bundle bundle;
  bundle.path = TRY(absolute(request.bundle.value_or("")));
  if (!is_utf8(bundle.path))
    return fail({REAPER_ERR_INVALID, 0,
                 "bundle \"" + printable(bundle.path) + "\": its path is not UTF-8, which the state needs", "",
                 "bundle"});
  const Fd directory(open(bundle.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return fail(bundle_error("bundle \"" + bundle.path + "\"", errno));
  bundle.config = request.config ? std::string(*request.config) : TRY(read_config(directory.get(), bundle.path));
  return bundle;
}

}  // namespace reaper
