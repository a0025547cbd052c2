// list: every container, and no broken one hides the others.
#include <pwd.h>
#include <unistd.h>

#include <cstdio>

#include "core/json.h"
#include "runtime/container.h"
#include "runtime/status.h"

namespace reaper {

namespace {

// The name in /etc/passwd; the number where there is none. Read as a file: getpwuid(3) would load NSS modules into the
// host, and wait for their servers.
std::string user_name(uint32_t uid) {
  std::string name = std::to_string(uid);
  FILE* const file = fopen("/etc/passwd", "re");
  if (file == nullptr) return name;
  passwd entry = {};
  passwd* found = nullptr;
  char buffer[4096];
  while (fgetpwent_r(file, &entry, buffer, sizeof buffer, &found) == 0) {
    if (found->pw_uid != uid) continue;
    name = found->pw_name;
    break;
  }
  fclose(file);
  return name;
}

struct Row {
  int status;
  std::optional<Record> record;
};

void write_row(JsonWriter& out, const std::string& id, const Row& row) {
  out.begin_object();
  out.key("id").string(id);
  const bool alive = row.record && row.status != REAPER_STATUS_STOPPED;
  out.key("pid").integer(alive ? row.record->init.pid : 0);
  out.key("status").string(status_name(row.status));
  out.key("bundle").string(row.record ? row.record->bundle : "");
  out.key("created").string(row.record ? row.record->created : "");
  out.key("owner").string(row.record ? user_name(row.record->owner_uid) : "");
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

Result<Row> row_of(const StateRoot& root, const std::string& id) {
  const ContainerDirectory directory = TRY(ContainerDirectory::open(root, id));
  Snapshot snapshot = TRY(read_snapshot(directory));
  const int status = TRY(read_status(directory, snapshot));
  return Row{status, snapshot.record ? std::move(snapshot.record) : std::move(snapshot.staged)};
}

// Of this process, or of the machine: it says nothing about the container.
bool is_ours(const Error& error) {
  return error.code == REAPER_ERR_NO_MEMORY || error.sys_errno == EMFILE || error.sys_errno == ENFILE;
}

}  // namespace

Result<std::string> list_json(const Runtime& runtime) {
  JsonWriter out;
  out.begin_array();
  const auto root = open_root(runtime, false);
  if (!root.has_value() && root.error().code != REAPER_ERR_NOT_FOUND) return fail(root.error());
  if (root.has_value()) {
    for (const std::string& id : TRY((*root)->ids())) {
      const auto row = row_of(**root, id);
      if (!row.has_value() && is_ours(row.error())) return fail(row.error());
      if (row.has_value())
        write_row(out, id, *row);
      else if (row.error().code != REAPER_ERR_NOT_FOUND)  // deleted meanwhile
        write_broken_row(out, id, row.error());
    }
  }
  out.end_array();
  return out.take();
}

}  // namespace reaper
