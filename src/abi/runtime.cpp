// The runtime handle, version, features and spec.
#include <cstddef>

#include "abi/handles.h"
#include "runtime/version.h"

using namespace reaper;

namespace {

constexpr size_t smallest_runtime_options = offsetof(reaper_runtime_options, flags) + sizeof(uint32_t);

Result<std::shared_ptr<Runtime>> make_runtime(const reaper_runtime_options* given) {
  const auto options = TRY(abi::read_options(given, smallest_runtime_options));
  if (options.flags != 0) return fail({REAPER_ERR_UNSUPPORTED, 0, "options: flags is not 0", "", "arguments"});
  if (options.log_level > REAPER_LOG_DEBUG)
    return fail(abi::invalid_argument("options: log_level is not one of REAPER_LOG_*"));
  auto runtime = std::make_shared<Runtime>();
  runtime->root = TRY(resolve_root(options.root));
  // A day is as good as for ever, and cannot overflow the clock.
  constexpr uint64_t longest_ms = 24ULL * 3600 * 1000;
  if (options.lock_timeout_ms != 0)
    runtime->lock_timeout = std::chrono::milliseconds(std::min(options.lock_timeout_ms, longest_ms));
  if (options.kill_timeout_ms != 0)
    runtime->kill_timeout = std::chrono::milliseconds(std::min(options.kill_timeout_ms, longest_ms));
  if (options.log != nullptr) {
    const auto most = static_cast<int32_t>(options.log_level != 0 ? options.log_level : REAPER_LOG_WARNING);
    runtime->log = [log = options.log, data = options.log_data, most](int32_t level, const char* message) {
      if (level <= most) log(data, level, message);
    };
  }
  return runtime;
}

}  // namespace

extern "C" {

int reaper_runtime_new(const reaper_runtime_options* options, reaper_runtime** out, reaper_error** err) {
  return abi::guarded(err, [&]() -> Status {
    if (out == nullptr) return fail(abi::invalid_argument("out is NULL"));
    auto handle = std::make_unique<reaper_runtime>(TRY(make_runtime(options)));
    *out = handle.release();
    return {};
  });
}

void reaper_runtime_free(reaper_runtime* runtime) {
  delete runtime;
}

const char* reaper_runtime_root(const reaper_runtime* runtime) {
  return runtime != nullptr ? runtime->runtime->root.c_str() : "";
}

const char* reaper_version(void) {
  return reaper::build_version;
}

const char* reaper_commit(void) {
  return reaper::build_commit;
}

int reaper_features(char** out_json, reaper_error** err) {
  return abi::guarded(err, [&]() -> Status {
    if (out_json == nullptr) return fail(abi::invalid_argument("out_json is NULL"));
    return abi::give_string(features_json(), out_json);
  });
}

int reaper_spec(char** out_json, reaper_error** err) {
  return abi::guarded(err, [&]() -> Status {
    if (out_json == nullptr) return fail(abi::invalid_argument("out_json is NULL"));
    return abi::give_string(spec_json(), out_json);
  });
}

int reaper_list(const reaper_runtime* runtime, char** out_json, reaper_error** err) {
  return abi::guarded(err, [&]() -> Status {
    if (runtime == nullptr || out_json == nullptr) return fail(abi::invalid_argument("runtime or out_json is NULL"));
    return abi::give_string(TRY(list_json(*runtime->runtime)), out_json);
  });
}

int reaper_delete_id(reaper_runtime* runtime, const char* id, uint32_t flags, reaper_error** err) {
  return abi::guarded(err, [&]() -> Status {
    if (runtime == nullptr || id == nullptr) return fail(abi::invalid_argument("runtime or id is NULL"));
    if ((flags & ~REAPER_DELETE_FORCE) != 0) return fail(abi::invalid_argument("flags has an unknown bit"));
    return delete_container(runtime->runtime, id, (flags & REAPER_DELETE_FORCE) != 0, nullptr);
  });
}

}  // extern "C"
