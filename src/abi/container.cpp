// Operations on a container's handle.
#include "abi/handles.h"

using namespace reaper;

namespace {

template <class Body>
int with_container(const reaper_container* container, reaper_error** err, Body&& body) noexcept {
  return abi::guarded(err, [&]() -> Status {
    if (container == nullptr) return fail(abi::invalid_argument("container is NULL"));
    return body(*container->container);
  });
}

}  // namespace

extern "C" {

void reaper_container_free(reaper_container* container) {
  delete container;
}

const char* reaper_container_id(const reaper_container* container) {
  return container != nullptr ? container->container->id().c_str() : "";
}

int reaper_start(reaper_container* container, reaper_error** err) {
  return with_container(container, err, [](Container& inner) { return start_container(inner); });
}

int reaper_state(const reaper_container* container, char** out_json, reaper_error** err) {
  return with_container(container, err, [&](const Container& inner) -> Status {
    if (out_json == nullptr) return fail(abi::invalid_argument("out_json is NULL"));
    return abi::give_string(TRY(state_json(inner)), out_json);
  });
}

int reaper_status(const reaper_container* container, int32_t* out, reaper_error** err) {
  return with_container(container, err, [&](const Container& inner) -> Status {
    if (out == nullptr) return fail(abi::invalid_argument("out is NULL"));
    *out = TRY(container_status(inner));
    return {};
  });
}

int reaper_pid(const reaper_container* container, int32_t* out, reaper_error** err) {
  return with_container(container, err, [&](const Container& inner) -> Status {
    if (out == nullptr) return fail(abi::invalid_argument("out is NULL"));
    *out = TRY(container_pid(inner));
    return {};
  });
}

int reaper_pidfd(const reaper_container* container, int32_t* out, reaper_error** err) {
  return with_container(container, err, [&](const Container& inner) -> Status {
    if (out == nullptr) return fail(abi::invalid_argument("out is NULL"));
    *out = TRY(container_pidfd(inner)).release();
    return {};
  });
}

int reaper_kill(const reaper_container* container, int32_t signal, uint32_t flags, reaper_error** err) {
  return with_container(container, err, [&](const Container& inner) -> Status {
    if ((flags & ~REAPER_KILL_ALL) != 0) return fail(abi::invalid_argument("flags has an unknown bit"));
    return kill_container(inner, signal, (flags & REAPER_KILL_ALL) != 0);
  });
}

int reaper_delete(reaper_container* container, uint32_t flags, reaper_error** err) {
  return with_container(container, err, [&](Container& inner) -> Status {
    if ((flags & ~REAPER_DELETE_FORCE) != 0) return fail(abi::invalid_argument("flags has an unknown bit"));
    return delete_container(inner.runtime, inner.id(), (flags & REAPER_DELETE_FORCE) != 0, &inner);
  });
}

int reaper_wait(const reaper_container* container, int64_t timeout_ms, reaper_exit_status* out, reaper_error** err) {
  return with_container(container, err, [&](const Container& inner) -> Status {
    TRY(abi::check_exit_status(out));
    abi::give_exit_status(TRY(wait_container(inner, timeout_ms)), out);
    return {};
  });
}

}  // extern "C"
