#include "runtime/namespaces.h"

#include "core/json.h"
#include "host/facts.h"
#include "plan/plan.h"
#include "reaper.h"

namespace reaper {

namespace {

void write_namespace(JsonWriter& out, const Namespace& one) {
  out.key("type").string(one.type);
  if (!one.path.empty()) out.key("path").string(one.path);
}

Result<std::vector<Namespace>> decode_namespaces(const std::string& text) {
  std::vector<Namespace> namespaces;
  const JsonCursor array = TRY(parse_json(text, "namespaces"));
  for (const JsonCursor& element : TRY(array.elements())) {
    Namespace one;
    if (const auto type = TRY(element.member("type"))) one.type = TRY(type->string());
    if (const auto path = TRY(element.member("path"))) one.path = TRY(path->string());
    namespaces.push_back(std::move(one));
  }
  return namespaces;
}

}  // namespace

std::string encode_namespaces(const std::vector<Namespace>& namespaces) {
  JsonWriter out;
  out.begin_array();
  for (const Namespace& one : namespaces) {
    out.begin_object();
    write_namespace(out, one);
    out.end_object();
  }
  out.end_array();
  return out.take();
}

Result<uint64_t> namespace_flags(const Record& record) {
  uint64_t flags = 0;
  if (record.namespaces_json.empty()) return flags;
  for (const Namespace& one : TRY(decode_namespaces(record.namespaces_json))) flags |= namespace_flag(one.type);
  return flags;
}

Result<std::string> namespaces_json(const Record& record, int status) {
  if (record.namespaces_json.empty()) return std::string("[]");
  const bool has_process = status == REAPER_STATUS_CREATED || status == REAPER_STATUS_RUNNING;
  JsonWriter out;
  out.begin_array();
  for (const Namespace& one : TRY(decode_namespaces(record.namespaces_json))) {
    out.begin_object();
    write_namespace(out, one);
    if (has_process) {
      // Whoever may not look (ptrace(2), PTRACE_MODE_READ), and whoever comes a moment too late, is told the rest.
      const auto inode = process_namespace_inode(record.init.pid, one.type);
      if (inode.has_value()) out.key("inode").unsigned_integer(*inode);
    }
    out.end_object();
  }
  out.end_array();
  return out.take();
}

}  // namespace reaper
