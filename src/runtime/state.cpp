// state: the specification's object, with `created` and what Reaper adds.
#include "core/json.h"
#include "runtime/cgroups.h"
#include "runtime/clock.h"
#include "runtime/container.h"
#include "runtime/namespaces.h"
#include "runtime/process.h"
#include "runtime/report.h"
#include "runtime/resctrl.h"
#include "runtime/status.h"
#include "runtime/supervisor.h"

namespace reaper {

namespace {

void write_exit(JsonWriter& out, const std::optional<ExitStatus>& exit) {
  out.key("exit");
  if (!exit) {
    out.null();  // it has ended, and nobody can say how: never 0
    return;
  }
  out.begin_object();
  if (exit->signal == 0)
    out.key("exitCode").integer(exit->exit_code);
  else
    out.key("signal").integer(exit->signal);
  out.key("coreDumped").boolean(exit->core_dumped);
  if (exit->started_ns != 0) out.key("startedAt").string(rfc3339(exit->started_ns));
  if (exit->finished_ns != 0) out.key("finishedAt").string(rfc3339(exit->finished_ns));
  if (exit->user_us >= 0) {
    out.key("rusage").begin_object();
    out.key("userTimeMicroseconds").integer(exit->user_us);
    out.key("systemTimeMicroseconds").integer(exit->system_us);
    out.key("maxRssKiB").integer(exit->max_rss_kib);
    out.end_object();
  }
  out.end_object();
}

std::string_view supervision_name(Supervision supervision) {
  switch (supervision) {
    case Supervision::active:
      return "active";
    case Supervision::lost:
      return "lost";
    default:
      return "none";
  }
}

Status write_reaper(JsonWriter& out, const Container& container, const Record& record, int status) {
  out.key("reaper").begin_object();
  // What kill --all reaches: everybody in the container's own cgroup; else every descendant, as long as the supervisor
  // keeps them together; else the process and those that are found below it in /proc, no more.
  const Supervision supervision = TRY(supervision_of(container));
  const bool supervised = !TRY(has_ended(container.supervisor));
  const bool in_cgroup = !record.cgroups_json.empty();
  out.key("containment").string(in_cgroup ? "cgroup" : supervised ? "supervisor" : "descendants");
  out.key("supervision").string(supervision_name(supervision));
  if (supervised) out.key("supervisorPid").integer(record.supervisor->pid);
  out.key("credentials").raw(TRY(credentials_json(record.credentials_json)));
  out.key("cgroups").raw(TRY(cgroups_json(record)));
  TRY(write_resctrl(out, record));
  out.key("namespaces").raw(TRY(namespaces_json(record, status)));
  if (status == REAPER_STATUS_STOPPED) write_exit(out, learn_exit(container, false));
  out.key("warnings").raw(record.warnings_json);
  out.end_object();
  return {};
}

Result<std::string> state_of(const Container& container, int status) {
  JsonWriter out;
  out.begin_object();
  write_state(out, *container.record, status);
  out.key("created").string(container.record->created);
  TRY(write_reaper(out, container, *container.record, status));
  out.end_object();
  return out.take();
}

}  // namespace

Result<std::string> state_json(const Container& container) {
  const int status = TRY(read_status(container));
  if (container.record) return state_of(container, status);
  const ContainerPtr now = TRY(look_again(container));
  return state_of(*now, status == REAPER_STATUS_CREATING ? status : TRY(read_status(*now)));
}

}  // namespace reaper
