// Container ids: one path component, by a rule that leaves nothing to the file system.
#include <string>
#include <string_view>

#include "store/files.h"
#include "store/store.h"

namespace reaper {
namespace {

constexpr size_t max_id_bytes = 255;  // NAME_MAX of Linux's file systems
constexpr size_t max_shown_bytes = 300;

// <cctype> follows the host's locale; these do not.
bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

Status refuse(std::string message) {
  return fail(
      {.code = REAPER_ERR_INVALID, .sys_errno = 0, .message = std::move(message), .pointer = "", .stage = "id"});
}

}  // namespace

std::string container_label(std::string_view id) {
  return "container \"" + printable(id, max_shown_bytes) + "\"";
}

Status check_id(std::string_view id) {
  if (id.empty()) return refuse("container id is empty");
  if (id.size() > max_id_bytes) {
    return refuse("container id has " + std::to_string(id.size()) + " bytes, and 255 is the limit");
  }
  for (size_t at = 0; at < id.size(); ++at) {
    const char c = id[at];
    if (is_alphanumeric(c) || c == '_') continue;
    if (at > 0 && (c == '.' || c == '+' || c == '-')) continue;
    return refuse("container id \"" + printable(id, max_shown_bytes) + "\": byte " + std::to_string(at + 1) +
                  (at == 0 ? " must be a letter, a digit or _" : " must be a letter, a digit or one of _ . + -"));
  }
  return {};
}

Error no_such_container(std::string_view id) {
  return {.code = REAPER_ERR_NOT_FOUND,
          .sys_errno = 0,
          .message = container_label(id) + " does not exist",
          .pointer = "",
          .stage = "state-directory"};
}

}  // namespace reaper
