// list: every container, and no broken one hides the others.
#include <pwd.h>
#include <unistd.h>

#include "core/json.h"
#include "runtime/container.h"
#include "runtime/status.h"

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

void write_row(JsonWriter& out, const std::string& id, const Snapshot& snapshot) {
  out.begin_object();
  out.key("id").string(id);
  const bool alive = snapshot.record && snapshot.standing.status != REAPER_STATUS_STOPPED;
  out.key("pid").integer(alive ? snapshot.record->init.pid : 0);
  out.key("status").string(status_name(snapshot.standing.status));
  out.key("bundle").string(snapshot.record ? snapshot.record->bundle : "");
  out.key("created").string(snapshot.record ? snapshot.record->created : "");
  out.key("owner").string(snapshot.record ? user_name(snapshot.record->owner_uid) : "");
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

Result<Snapshot> snapshot_of(const StateRoot& root, const std::string& id) {
  const ContainerDirectory directory = TRY(ContainerDirectory::open(root, id));
  return read_snapshot(directory);
}

}  // namespace

Result<std::string> list_json(const Runtime& runtime) {
  JsonWriter out;
  out.begin_array();
  const auto root = open_root(runtime, false);
  if (!root.has_value() && root.error().code != REAPER_ERR_NOT_FOUND) return fail(root.error());
  if (root.has_value()) {
    for (const std::string& id : TRY((*root)->ids())) {
      const auto snapshot = snapshot_of(**root, id);
      if (snapshot.has_value())
        write_row(out, id, *snapshot);
      else if (snapshot.error().code != REAPER_ERR_NOT_FOUND)  // deleted meanwhile
        write_broken_row(out, id, snapshot.error());
    }
  }
  out.end_array();
  return out.take();
}

}  // namespace reaper
