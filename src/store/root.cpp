// The state directory itself: where it is, and whether it can be trusted.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/files.h"
#include "store/store.h"

namespace reaper {
namespace {

constexpr std::string_view stage = "state-directory";

Error root_error(int code, std::string message, int number = 0) {
  return {.code = code, .sys_errno = number, .message = std::move(message), .pointer = "", .stage = std::string(stage)};
}

std::string root_label(std::string_view path) {
  return "state directory \"" + printable(path) + "\"";
}

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> names;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (!name.empty() && name != ".") names.emplace_back(name);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return names;
}

Result<std::string> absolute(std::string_view path) {
  std::string whole(path);
  if (!whole.starts_with('/')) {
    char directory[PATH_MAX];
    if (getcwd(directory, sizeof directory) == nullptr) {
      return fail(system_error(stage, root_label(path) + ": find the working directory"));
    }
    whole = std::string(directory) + "/" + whole;
  }
  std::string clean;
  for (const auto& name : components(whole)) clean += "/" + name;
  if (clean.empty()) return fail(root_error(REAPER_ERR_INVALID, "the state directory cannot be /"));
  if (clean.size() >= PATH_MAX)
    return fail(root_error(REAPER_ERR_INVALID, root_label(path) + ": the path is too long"));
  return clean;
}

bool is_private_directory(const std::string& path, uid_t owner) {
  struct stat status{};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == owner &&
         (status.st_mode & 0777) == 0700;
}

// Takes back what was made, innermost first, unless it is kept. A directory that somebody uses already is not empty.
class MadeDirectories {
 public:
  MadeDirectories() = default;
  MadeDirectories(const MadeDirectories&) = delete;
  MadeDirectories& operator=(const MadeDirectories&) = delete;
  ~MadeDirectories() {
    while (!made_.empty()) {
      unlinkat(made_.back().first.get(), made_.back().second.c_str(), AT_REMOVEDIR);
      made_.pop_back();
    }
  }
  // False and errno: EMFILE.
  bool add(int parent, const std::string& name) {
    Fd own(fcntl(parent, F_DUPFD_CLOEXEC, 3));
    if (!own) return false;
    made_.emplace_back(std::move(own), name);
    return true;
  }
  void keep() { made_.clear(); }

 private:
  std::vector<std::pair<Fd, std::string>> made_;
};

// The way to the root, one component at a time, so that each is looked at before it is trusted.
struct Walk {
  const std::string& path;  // for messages
  bool make;
  Fd here;               // O_PATH
  struct stat status{};  // of `here`
  MadeDirectories made;

  Error error(std::string_view name, std::string_view call) const {
    return system_error(stage, root_label(path) + ": " + std::string(call) + " \"" + printable(name) + "\"");
  }
  Error refusal(std::string_view name, std::string_view why) const {
    return root_error(REAPER_ERR_PERMISSION, root_label(path) + ": \"" + printable(name) + "\" " + std::string(why));
  }
};

bool everybody_writes(const struct stat& status) {
  return (status.st_mode & S_IWOTH) != 0;
}

// Missing: makes it. The umask may take bits of group and others from a parent, as with mkdir(1), but never the
// owner's.
Result<Fd> make_component(Walk& walk, const std::string& name, bool last) {
  if (mkdirat(walk.here.get(), name.c_str(), last ? 0700 : 0755) != 0) {
    if (errno != EEXIST) return fail(walk.error(name, "make"));
  } else if (!walk.made.add(walk.here.get(), name)) {
    Error error = walk.error(name, "make");
    unlinkat(walk.here.get(), name.c_str(), AT_REMOVEDIR);
    return fail(std::move(error));
  }
  Fd next(openat(walk.here.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!next) return fail(walk.error(name, "open"));
  struct stat status{};
  if (fstat(next.get(), &status) != 0) return fail(walk.error(name, "stat"));
  const bool lacks_bits = S_ISDIR(status.st_mode) && status.st_uid == geteuid() && (status.st_mode & 0700) != 0700;
  if (lacks_bits && chmod_opened(next.get(), (status.st_mode & 0777) | 0700) != 0)
    return fail(walk.error(name, "chmod"));
  return next;
}

// A link is followed only where nobody else can have put it. Tells whether everybody writes where it leads.
Result<bool> follow_link(Walk& walk, const std::string& name, bool shared, Fd& next, struct stat& status) {
  if (shared) return fail(walk.refusal(name, "is a symbolic link in a directory that everybody may write to"));
  next = Fd(openat(walk.here.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!next || fstat(next.get(), &status) != 0) return fail(walk.error(name, "follow"));
  const Fd parent(openat(next.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat above{};
  if (!parent || fstat(parent.get(), &above) != 0) return fail(walk.error(name, "open the parent of"));
  return everybody_writes(above);
}

Status step(Walk& walk, const std::string& name, bool last) {
  bool shared = everybody_writes(walk.status);
  Fd next(openat(walk.here.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!next && errno == ENOENT) {
    if (!walk.make) {
      return fail(root_error(REAPER_ERR_NOT_FOUND, root_label(walk.path) + " has not been made yet", ENOENT));
    }
    next = TRY(make_component(walk, name, last));
  }
  struct stat status{};
  if (!next || fstat(next.get(), &status) != 0) return fail(walk.error(name, "open"));
  if (S_ISLNK(status.st_mode)) shared = TRY(follow_link(walk, name, shared, next, status));
  if (!S_ISDIR(status.st_mode)) {
    return fail(
        root_error(REAPER_ERR_INVALID, root_label(walk.path) + ": \"" + printable(name) + "\" is no directory"));
  }
  if (shared && status.st_uid != geteuid() && (last || status.st_uid != 0)) {
    return fail(walk.refusal(name, "belongs to somebody else, in a directory that everybody may write to"));
  }
  if (shared && last && (status.st_mode & 0077) != 0) {
    return fail(walk.refusal(name, "is open to others (make it 0700), in a directory that everybody may write to"));
  }
  // Whoever owns it decides what the records say, and so whom a forced delete ends.
  if (last && status.st_uid != geteuid())
    return fail(walk.refusal(name, "belongs to somebody else: only its owner is believed what stands in it"));
  if (last && everybody_writes(status)) return fail(walk.refusal(name, "may be written by everybody (make it 0700)"));
  walk.here = std::move(next);
  walk.status = status;
  return {};
}

// As far as it exists, or to its end.
Status walk_to(Walk& walk) {
  const std::vector<std::string> names = components(walk.path);
  if (!walk.path.starts_with('/') || names.empty()) {
    return fail(root_error(REAPER_ERR_INVALID, root_label(walk.path) + " is not an absolute path below /"));
  }
  walk.here = Fd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!walk.here || fstat(walk.here.get(), &walk.status) != 0) return fail(walk.error("/", "open"));
  for (size_t at = 0; at < names.size(); ++at) TRY(step(walk, names[at], at + 1 == names.size()));
  return {};
}

}  // namespace

Result<std::string> resolve_root(const char* given) {
  if (given != nullptr) {
    if (*given == '\0') return fail(root_error(REAPER_ERR_INVALID, "the path of the state directory is empty"));
    return absolute(given);
  }
  // secure_getenv: a set-uid program that loads us must not be led by its caller's environment.
  if (const char* root = secure_getenv("REAPER_RUNTIME_ROOT"); root != nullptr && *root != '\0') return absolute(root);
  const uid_t uid = geteuid();
  if (uid == 0) return "/run/reaper";
  if (const char* runtime = secure_getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime != '\0') {
    if (*runtime != '/') {
      return fail(root_error(REAPER_ERR_INVALID, "XDG_RUNTIME_DIR \"" + printable(runtime) + "\" is not absolute"));
    }
    return absolute(std::string(runtime) + "/reaper");
  }
  const std::string of_user = "/run/user/" + std::to_string(uid);
  if (is_private_directory(of_user, uid)) return of_user + "/reaper";
  return "/tmp/reaper-" + std::to_string(uid);
}

Result<StateRoot> StateRoot::open(const std::string& path, bool make) {
  Walk walk{.path = path, .make = make, .here = {}, .status = {}, .made = {}};
  TRY(walk_to(walk));
  Fd directory(openat(walk.here.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return fail(walk.error(path, "open"));
  walk.made.keep();
  return StateRoot(std::move(directory), path);
}

Status StateRoot::check(const std::string& path) {
  Walk walk{.path = path, .make = false, .here = {}, .status = {}, .made = {}};
  const Status reached = walk_to(walk);
  if (!reached.has_value() && reached.error().code != REAPER_ERR_NOT_FOUND) return reached;
  // The directory itself, or the one that its first missing component would be made in.
  if (may_write(walk.here.get())) return {};
  return fail(walk.error(path, reached.has_value() ? "write to" : "make"));
}

Result<std::vector<std::string>> StateRoot::ids() const {
  auto names = TRY(list_names(directory_.get(), stage, root_label(path_) + ": read"));
  std::erase_if(names, [](const std::string& name) { return !check_id(name).has_value(); });
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace reaper
