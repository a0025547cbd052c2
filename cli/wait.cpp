// wait: how a container ended, as JSON. Exit codes of its own: 3 when nobody can say, 4 on time-out.
#include <string>

#include "commands.h"
#include "handles.h"
#include "report.h"

namespace reaper::cli {

namespace {

void add_time(std::string& json, const char* name, int64_t nanoseconds_since_1970) {
  if (nanoseconds_since_1970 != 0) json += std::string(",\"") + name + "\":\"" + rfc3339(nanoseconds_since_1970) + '"';
}

// The object `reaper.exit` of state: exitCode or signal, and what else is known.
std::string to_json(const reaper_exit_status& status) {
  std::string json = status.signal != 0 ? "{\"signal\":" + std::to_string(status.signal)
                                        : "{\"exitCode\":" + std::to_string(status.exit_code);
  json += std::string(",\"coreDumped\":") + (status.core_dumped != 0 ? "true" : "false");
  add_time(json, "startedAt", status.started_at_ns);
  add_time(json, "finishedAt", status.finished_at_ns);
  if (status.user_time_us >= 0) {
    json += ",\"rusage\":{\"userTimeMicroseconds\":" + std::to_string(status.user_time_us) +
            ",\"systemTimeMicroseconds\":" + std::to_string(status.system_time_us) +
            ",\"maxRssKiB\":" + std::to_string(status.max_rss_kib) + '}';
  }
  return json + '}';
}

}  // namespace

int command_wait(const Arguments& arguments) {
  Runtime runtime;
  Container container;
  if (int code = open_container(arguments, runtime, container)) return code;
  int64_t timeout = arguments.has(Opt::timeout) ? static_cast<int64_t>(arguments.number(Opt::timeout)) : -1;
  reaper_exit_status status = {};
  status.size = sizeof status;
  reaper_error* error = nullptr;
  int code = reaper_wait(container.get(), timeout, &status, &error);
  if (code == REAPER_OK) return print_line(to_json(status));
  fail(error);
  return code == REAPER_ERR_UNKNOWN ? 3 : code == REAPER_ERR_TIMEOUT ? 4 : 1;
}

}  // namespace reaper::cli
