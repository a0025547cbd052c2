// What this host has for the id maps of a new user namespace (user_namespaces(7), newuidmap(1)).
#include <sys/stat.h>

#include "host/facts.h"
#include "host/numbers.h"
#include "host/proc_file.h"

namespace reaper {

namespace {

// By absolute path: PATH is the caller's, and these files are set-user-id root.
std::string find_helper(const char* name) {
  for (const char* directory : {"/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/", "/usr/local/bin/"}) {
    std::string path = std::string(directory) + name;
    struct stat status = {};
    if (stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0) return path;
  }
  return {};
}

}  // namespace

IdMapFacts read_id_map_facts() {
  IdMapFacts facts;
  facts.uid_helper = find_helper("newuidmap");
  facts.gid_helper = find_helper("newgidmap");
  const auto text = read_proc_file("/proc/sys/kernel/overflowgid");
  if (!text.has_value()) return facts;
  const auto number = parse_number<uint32_t>(std::string_view(*text).substr(0, text->find('\n')));
  if (number.has_value()) facts.overflow_gid = *number;
  return facts;
}

Result<bool> read_setgroups_denied() {
  const auto text = read_proc_file("/proc/thread-self/setgroups");
  if (!text.has_value() && text.error().sys_errno == ENOENT) return false;
  if (!text.has_value()) return fail(text.error());
  return text->starts_with("deny");
}

}  // namespace reaper
