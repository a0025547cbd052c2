// Error objects.
#include <cstdlib>

#include "abi/handles.h"

namespace reaper::abi {

// Handed out when there is no memory for another; freeing it does nothing.
static reaper_error* no_memory_error() noexcept {
  // Built without an allocation: every string fits into std::string's own 15 bytes.
  static reaper_error error = {{REAPER_ERR_NO_MEMORY, ENOMEM, "out of memory", "", "malloc"}};
  return &error;
}

int report(reaper_error** err, Error&& error) noexcept {
  const int code = error.code;
  if (err == nullptr) return code;
  auto* object = new (std::nothrow) reaper_error{std::move(error)};
  *err = object != nullptr ? object : no_memory_error();
  return object != nullptr ? code : REAPER_ERR_NO_MEMORY;
}

int report_no_memory(reaper_error** err) noexcept {
  if (err != nullptr) *err = no_memory_error();
  return REAPER_ERR_NO_MEMORY;
}

Error invalid_argument(std::string message) {
  return {REAPER_ERR_INVALID, EINVAL, std::move(message), "", "arguments"};
}

Status give_string(const std::string& text, char** out) {
  auto* copy = static_cast<char*>(malloc(text.size() + 1));
  if (copy == nullptr) return fail({REAPER_ERR_NO_MEMORY, ENOMEM, "out of memory", "", "malloc"});
  memcpy(copy, text.c_str(), text.size() + 1);
  *out = copy;
  return {};
}

}  // namespace reaper::abi

using reaper::abi::no_memory_error;

extern "C" {

int32_t reaper_error_code(const reaper_error* error) {
  return error != nullptr ? error->error.code : 0;
}

int32_t reaper_error_errno(const reaper_error* error) {
  return error != nullptr ? error->error.sys_errno : 0;
}

const char* reaper_error_message(const reaper_error* error) {
  return error != nullptr ? error->error.message.c_str() : "";
}

const char* reaper_error_pointer(const reaper_error* error) {
  return error != nullptr ? error->error.pointer.c_str() : "";
}

const char* reaper_error_stage(const reaper_error* error) {
  return error != nullptr ? error->error.stage.c_str() : "";
}

void reaper_error_free(reaper_error* error) {
  if (error != no_memory_error()) delete error;
}

const char* reaper_error_name(int32_t code) {
  return reaper::code_name(code);
}

void reaper_free(char* string) {
  free(string);
}

}  // extern "C"
