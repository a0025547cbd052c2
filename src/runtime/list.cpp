// list: every container, and no broken one hides the others.
#include <pwd.h>
#include <unistd.h>

#include "core/json.h"
#include "runtime/container.h"

namespace reaper {

namespace {

// The name as `ps` shows it; the number where there is none. getpwuid_r: the host may have threads.
std::string user_name(uint32_t uid) {
  passwd entry = {};
  passwd* found = nullptr;
  char buffer[4096];
  if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) return found->pw_name;
  return std::to_string(uid);
}

void write_row(JsonWriter& out, const std::string& id, const Standing& standing) {
  out.begin_object();
  out.key("id").string(id);
  const bool alive = standing.record && standing.status != REAPER_STATUS_STOPPED;
  out.key("pid").integer(alive ? standing.record->init.pid : 0);
  out.key("status").string(status_name(standing.status));
  out.key("bundle").string(standing.record ? standing.record->bundle : "");
  out.key("created").string(standing.record ? standing.record->created : "");
  out.key("owner").string(standing.record ? user_name(standing.record->owner_uid) : "");
  out.end_object();
}

void write_broken_row(JsonWriter& out, const std::string& id, const Error& error) {
  out.begin_object();
  out.key("id").string(id);
  out.key("pid").integer(0);
  out.key("status").string("corrupt");
  out.key("bundle").string("");
  out.key("created").string("");
  out.key("owner").string("");
  out.key("error").string(error.message);
  out.end_object();
}

Result<Standing> standing_of(const StateRoot& root, const std::string& id) {
  const ContainerDirectory directory = TRY(ContainerDirectory::open(root, id));
  return read_standing(root, directory);
}

}  // namespace

Result<std::string> list_json(const Runtime& runtime) {
  JsonWriter out;
  out.begin_array();
  const auto root = StateRoot::open(runtime.root, false);
  if (!root.has_value() && root.error().code != REAPER_ERR_NOT_FOUND) return fail(root.error());
  if (root.has_value()) {
    for (const std::string& id : TRY(root->ids())) {
      const auto standing = standing_of(*root, id);
      if (standing.has_value())
        write_row(out, id, *standing);
      else if (standing.error().code != REAPER_ERR_NOT_FOUND)  // deleted meanwhile
        write_broken_row(out, id, standing.error());
    }
  }
  out.end_array();
  return out.take();
}

}  // namespace reaper
