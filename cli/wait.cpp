// wait: how a container ended, as JSON. Exit codes of its own: 3 when nobody can say, 4 on time-out.
#include <string>

#include "commands.h"
#include "handles.h"
#include "report.h"

namespace reaper::cli {

namespace {

std::string json_time(int64_t nanoseconds_since_1970) {
  return nanoseconds_since_1970 == 0 ? "null" : '"' + rfc3339(nanoseconds_since_1970) + '"';
}

std::string json_known(int64_t value) {
  return value < 0 ? "null" : std::to_string(value);
}

std::string to_json(const reaper_exit_status& status) {
  bool signaled = status.signal != 0;
  return "{\"exitCode\":" + json_known(status.exit_code) +
         ",\"signal\":" + (signaled ? std::to_string(status.signal) : "null") +
         ",\"coreDumped\":" + (status.core_dumped != 0 ? "true" : "false") +
         ",\"startedAt\":" + json_time(status.started_at_ns) + ",\"finishedAt\":" + json_time(status.finished_at_ns) +
         ",\"rusage\":{\"userTimeUs\":" + json_known(status.user_time_us) +
         ",\"systemTimeUs\":" + json_known(status.system_time_us) + ",\"maxRssKiB\":" + json_known(status.max_rss_kib) +
         "}}";
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
