#include "runtime/request.h"

#include <fcntl.h>

#include <cerrno>

#include "runtime/container.h"
#include "store/kept.h"

namespace reaper {

namespace {

void check_descriptor(int fd, const char* what, std::vector<Error>& errors) {
  if (fcntl(fd, F_GETFD) >= 0) return;
  const std::string which = "descriptor " + std::to_string(fd);
  if (errno == EBADF)
    errors.push_back({REAPER_ERR_INVALID, EBADF, std::string(what) + ": " + which + " is not open", "", "arguments"});
  else
    errors.push_back(system_error("arguments", std::string(what) + ": fcntl F_GETFD on " + which));
}

}  // namespace

std::vector<Error> check_descriptors(const CreateRequest& request) {
  std::vector<Error> errors;
  for (const int fd : request.stdio)
    if (fd != -1) check_descriptor(fd, "stdio", errors);
  for (const int fd : request.extra_fds) check_descriptor(fd, "extra_fds", errors);
  return errors;
}

// From the state directory, if an earlier run has left it there.
static Result<SeccompFilter> kept_or_compiled(const Runtime& runtime, const Seccomp& seccomp, const std::string& digest,
                                              bool keeps) {
  const auto root = open_root(runtime, false);
  // Who creates needs it anyway, if it is there.
  if (!root.has_value() && keeps && root.error().code != REAPER_ERR_NOT_FOUND) return fail(root.error());
  const std::string name = kept_filter_name(digest);
  if (!root.has_value() || name.empty()) return compile_filter(seccomp);
  if (const auto text = read_kept(**root, name))
    if (auto kept = decode_filter(*text, name, digest)) return std::move(*kept);
  auto compiled = compile_filter(seccomp);
  if (compiled.has_value() && keeps) keep(**root, name, encode_filter(*compiled, name));
  return compiled;
}

Result<std::shared_ptr<const SeccompFilter>> filter_of(const Runtime& runtime, const Config& config, bool keeps) {
  if (!config.seccomp || !config.process) return nullptr;
  return runtime.filters.get(config.seccomp, [&](const Seccomp& seccomp, const std::string& digest) {
    return kept_or_compiled(runtime, seccomp, digest, keeps);
  });
}

PlanOptions plan_options(const CreateRequest& request, std::string_view id, const std::string& bundle) {
  PlanOptions options;
  options.id = id;
  options.bundle = bundle;
  options.strict = request.strict;
  options.supervise = request.supervise;
  options.no_cgroup = request.no_cgroup;
  options.no_pivot = request.no_pivot;
  options.extra_fds = static_cast<uint32_t>(request.extra_fds.size());
  options.listen_fds = request.listen_fds;
  options.listen_names = request.listen_names;
  if (request.new_keyring) options.session_keyring = "_ses." + std::string(id);
  return options;
}

}  // namespace reaper
