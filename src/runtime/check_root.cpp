// What must be there for a root of the container's own: its directory, and the sources of bind mounts.
#include <sys/stat.h>

#include "config/wording.h"
#include "core/json.h"
#include "runtime/check.h"

namespace reaper {

namespace {

std::string path_from(const std::string& bundle, const std::string& path) {
  return path.starts_with('/') ? path : bundle + "/" + path;
}

// The first of its names that is not there.
std::string missing_component(const std::string& path) {
  struct stat status = {};
  for (size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = path.find('/', begin);
    if (end != begin && lstat(path.substr(0, end).c_str(), &status) != 0) return path.substr(begin, end - begin);
  }
  return path;  // a link that leads nowhere, or somebody was faster
}

Error refuse(const std::string& pointer, const std::string& path, int number) {
  const bool wrong_path = number == ENOENT || number == ENOTDIR || number == ELOOP;
  std::string why = "open_tree: " + errno_name(number) + ": ";
  why += number == ENOENT ? "component " + quoted(missing_component(path)) + " is missing" : quoted(path);
  Error error = config_error(wrong_path ? REAPER_ERR_INVALID : system_error("", "", number).code, pointer, why);
  error.sys_errno = number;
  error.stage = "root";
  return error;
}

}  // namespace

bool has_own_root(const Config& config) {
  return config.root && !config.root->path.empty();
}

std::vector<Error> check_root(const Config& config, const std::string& bundle) {
  std::vector<Error> errors;
  if (!has_own_root(config)) return errors;
  struct stat status = {};
  const std::string root = path_from(bundle, config.root->path);
  if (stat(root.c_str(), &status) != 0)
    errors.push_back(refuse("/root/path", root, errno));
  else if (!S_ISDIR(status.st_mode))
    errors.push_back(refuse("/root/path", root, ENOTDIR));
  for (size_t i = 0; i < config.mounts.size(); ++i) {
    const Mount& mount = config.mounts[i];
    if (!mount.bind || mount.remount) continue;
    const std::string source = path_from(bundle, mount.source);
    if (stat(source.c_str(), &status) == 0) continue;
    errors.push_back(refuse(pointer_join(pointer_join("/mounts", i), "source"), source, errno));
  }
  return errors;
}

}  // namespace reaper
