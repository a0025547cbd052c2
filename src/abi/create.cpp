// create, plan, check and open: from options to a handle.
#include <algorithm>
#include <cstddef>

#include "abi/handles.h"
#include "plan/wire.h"

using namespace reaper;

namespace {

constexpr size_t smallest_create_options = offsetof(reaper_create_options, listen_fd_count) + sizeof(uint32_t);
constexpr uint32_t create_flags = REAPER_CREATE_STDIO | REAPER_CREATE_STRICT | REAPER_CREATE_SUPERVISE |
                                  REAPER_CREATE_NO_NEW_KEYRING | REAPER_CREATE_NO_CGROUP | REAPER_CREATE_NO_PIVOT;

// sd_listen_fds_with_names(3): a name for each descriptor, of printable characters.
Status check_listen_fds(const reaper_create_options& options) {
  if (options.listen_fd_count > options.extra_fd_count)
    return fail(abi::invalid_argument("options: listen_fd_count is over extra_fd_count"));
  if (options.listen_names == nullptr) return {};
  const std::string_view names = options.listen_names;
  if (options.listen_fd_count != static_cast<uint64_t>(std::count(names.begin(), names.end(), ':')) + 1)
    return fail(abi::invalid_argument("options: listen_names has not one name for each of listen_fd_count"));
  if (std::any_of(names.begin(), names.end(), [](unsigned char c) { return c < ' ' || c >= 127; }))
    return fail(abi::invalid_argument("options: listen_names has a character that is not printable ASCII"));
  return {};
}

Result<CreateRequest> read_request(const reaper_create_options* given) {
  const auto options = TRY(abi::read_options(given, smallest_create_options));
  if ((options.flags & ~create_flags) != 0)
    return fail(
        {REAPER_ERR_UNSUPPORTED, 0, "options: flags has a bit that this version does not know", "", "arguments"});
  if (options.extra_fd_count > wire::max_extra_fds)
    return fail(abi::invalid_argument("options: extra_fd_count is over " + std::to_string(wire::max_extra_fds)));
  if (options.extra_fd_count != 0 && options.extra_fds == nullptr)
    return fail(abi::invalid_argument("options: extra_fds is NULL, but extra_fd_count is not 0"));
  TRY(check_listen_fds(options));
  if (options.config == nullptr && options.config_length != 0)
    return fail(abi::invalid_argument("options: config is NULL, but config_length is not 0"));
  if (options.console_socket != nullptr && options.console != nullptr)
    return fail(abi::invalid_argument("options: console_socket and console are both given"));
  CreateRequest request;
  if (options.bundle != nullptr) request.bundle = options.bundle;
  if (options.config != nullptr) request.config = std::string_view(options.config, options.config_length);
  if (options.pid_file != nullptr) request.pid_file = options.pid_file;
  if (options.console_socket != nullptr) request.console_socket = options.console_socket;
  request.console = options.console;
  request.extra_fds.assign(options.extra_fds, options.extra_fds + options.extra_fd_count);
  request.listen_fds = options.listen_fd_count;
  if (options.listen_names != nullptr) request.listen_names = options.listen_names;
  request.new_keyring = (options.flags & REAPER_CREATE_NO_NEW_KEYRING) == 0;
  request.strict = (options.flags & REAPER_CREATE_STRICT) != 0;
  request.no_cgroup = (options.flags & REAPER_CREATE_NO_CGROUP) != 0;
  request.no_pivot = (options.flags & REAPER_CREATE_NO_PIVOT) != 0;
  request.supervise = (options.flags & REAPER_CREATE_SUPERVISE) != 0;
  if ((options.flags & REAPER_CREATE_STDIO) != 0)
    for (int i = 0; i < 3; ++i) request.stdio[i] = options.stdio[i];
  return request;
}

Status check_format(uint32_t format) {
  if (format == REAPER_FORMAT_TEXT || format == REAPER_FORMAT_JSON) return {};
  return fail(abi::invalid_argument("format is not one of REAPER_FORMAT_*"));
}

}  // namespace

extern "C" {

int reaper_create(reaper_runtime* runtime, const char* id, const reaper_create_options* options, reaper_container** out,
                  reaper_error** err) {
  return abi::guarded(err, [&]() -> Status {
    if (runtime == nullptr || id == nullptr || out == nullptr)
      return fail(abi::invalid_argument("runtime, id or out is NULL"));
    const CreateRequest request = TRY(read_request(options));
    auto handle = std::make_unique<reaper_container>();
    handle->container = TRY(create_container(runtime->runtime, id, request));
    *out = handle.release();
    return {};
  });
}

int reaper_plan(const reaper_runtime* runtime, const reaper_create_options* options, uint32_t format, char** out,
                reaper_error** err) {
  return abi::guarded(err, [&]() -> Status {
    if (runtime == nullptr || out == nullptr) return fail(abi::invalid_argument("runtime or out is NULL"));
    TRY(check_format(format));
    const CreateRequest request = TRY(read_request(options));
    return abi::give_string(TRY(show_plan(*runtime->runtime, request, format)), out);
  });
}

int reaper_check(const reaper_runtime* runtime, const reaper_create_options* options, uint32_t format, char** out,
                 reaper_error** err) {
  return abi::guarded(err, [&]() -> Status {
    if (runtime == nullptr || out == nullptr) return fail(abi::invalid_argument("runtime or out is NULL"));
    TRY(check_format(format));
    const CreateRequest request = TRY(read_request(options));
    return abi::give_string(TRY(check_request(*runtime->runtime, request, format)), out);
  });
}

int reaper_open(const reaper_runtime* runtime, const char* id, reaper_container** out, reaper_error** err) {
  return abi::guarded(err, [&]() -> Status {
    if (runtime == nullptr || id == nullptr || out == nullptr)
      return fail(abi::invalid_argument("runtime, id or out is NULL"));
    auto handle = std::make_unique<reaper_container>();
    handle->container = TRY(open_container(runtime->runtime, id));
    *out = handle.release();
    return {};
  });
}

}  // extern "C"
