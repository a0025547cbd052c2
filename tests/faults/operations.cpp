// The operations that are walked, as they run in the child.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "faults/walk.h"

extern "C" {
#include "terminal.h"
}

namespace reaper::walk {

namespace {

constexpr const char* id = "walk";
constexpr int64_t wait_limit_ms = 30000;

void keep(Report& report, int result, const reaper_error* error) {
  report.result = result;
  report.code = reaper_error_code(error);
  report.number = reaper_error_errno(error);
  snprintf(report.stage, sizeof report.stage, "%s", reaper_error_stage(error));
  snprintf(report.message, sizeof report.message, "%s", reaper_error_message(error));
}

int kill_and_wait(Round& round, uint32_t flags) {
  const int result = reaper_kill(round.container, SIGKILL, flags, &round.error);
  if (result != REAPER_OK) return result;
  reaper_exit_status status = {};
  status.size = sizeof status;
  const int waited = reaper_wait(round.container, wait_limit_ms, &status, &round.error);
  if (waited == REAPER_OK && status.signal != SIGKILL) round.wrong("the exit status is not SIGKILL");
  return waited;
}

int run_create(Round& round) {
  const int made = round.make_runtime();
  return made != REAPER_OK ? made : round.create("");
}

int run_failing_create(Round& round) {
  const int made = round.make_runtime();
  return made != REAPER_OK ? made : round.create("failing");
}

int run_start(Round& round) {
  return reaper_start(round.container, &round.error);
}

int run_kill(Round& round) {
  return kill_and_wait(round, 0);
}

int run_kill_all(Round& round) {
  return kill_and_wait(round, REAPER_KILL_ALL);
}

int run_delete(Round& round) {
  return reaper_delete(round.container, 0, &round.error);
}

int run_forced_delete(Round& round) {
  return reaper_delete(round.container, REAPER_DELETE_FORCE, &round.error);
}

int run_forced_delete_id(Round& round) {
  return reaper_delete_id(round.runtime, id, REAPER_DELETE_FORCE, &round.error);
}

int run_open(Round& round) {
  reaper_container* other = nullptr;
  const int result = reaper_open(round.runtime, id, &other, &round.error);
  if (result == REAPER_OK && strcmp(reaper_container_id(other), id) != 0) round.wrong("another id");
  reaper_container_free(other);
  return result;
}

int run_state(Round& round) {
  char* text = nullptr;
  int result = reaper_state(round.container, &text, &round.error);
  if (result == REAPER_OK && strstr(text, "\"status\":\"running\"") == nullptr) round.wrong(text);
  reaper_free(text);
  int32_t number = 0;
  if (result == REAPER_OK) result = reaper_pid(round.container, &number, &round.error);
  if (result == REAPER_OK && number <= 1) round.wrong("no pid");
  if (result == REAPER_OK) result = reaper_pidfd(round.container, &number, &round.error);
  if (result == REAPER_OK) close(number);
  return result;
}

int run_list(Round& round) {
  char* text = nullptr;
  const int result = reaper_list(round.runtime, &text, &round.error);
  // A row that cannot be read says why, and does not hide the others.
  const bool listed = result == REAPER_OK && strstr(text, "\"id\":\"walk\"") != nullptr;
  if (result == REAPER_OK &&
      (!listed || (strstr(text, "\"running\"") == nullptr && strstr(text, "\"error\":\"") == nullptr)))
    round.wrong(text);
  reaper_free(text);
  return result;
}

int run_wait(Round& round) {
  reaper_exit_status status = {};
  status.size = sizeof status;
  const int result = reaper_wait(round.container, wait_limit_ms, &status, &round.error);
  if (result == REAPER_OK && status.signal != SIGKILL) round.wrong("the exit status is not SIGKILL");
  return result;
}

// A further process, to its end.
int run_exec(Round& round) {
  static constexpr char process[] = R"({"args":["/bin/true"]})";
  reaper_exec_options options = {};
  options.size = sizeof options;
  options.flags = REAPER_EXEC_LAY_OVER;
  options.process = process;
  options.process_length = sizeof process - 1;
  reaper_process* made = nullptr;
  const int result = reaper_exec(round.container, &options, &made, &round.error);
  if (result != REAPER_OK) return result;
  reaper_exit_status status = {};
  status.size = sizeof status;
  const int waited = reaper_process_wait(made, wait_limit_ms, &status, &round.error);
  if (waited == REAPER_OK && status.exit_code != 0) round.wrong("the exit code is not 0");
  reaper_process_free(made);
  return waited;
}

[[noreturn]] void end_child(const char* what, const reaper_error* error) {
  dprintf(2, "%s: %s\n", what, reaper_error_message(error));
  _exit(1);
}

void prepare(Round& round, Before before) {
  if (before == Before::nothing) return;
  if (round.make_runtime() != REAPER_OK || round.create("") != REAPER_OK) end_child("create", round.error);
  if (before == Before::created) return;
  if (reaper_start(round.container, &round.error) != REAPER_OK) end_child("start", round.error);
  if (before == Before::running) return;
  int32_t pidfd = -1;
  if (reaper_pidfd(round.container, &pidfd, &round.error) != REAPER_OK) end_child("pidfd", round.error);
  if (reaper_kill(round.container, SIGKILL, 0, &round.error) != REAPER_OK) end_child("kill", round.error);
  pollfd ended = {pidfd, POLLIN, 0};
  if (poll(&ended, 1, LIMIT_MS) != 1) end_child("poll", nullptr);
  close(pidfd);
}

}  // namespace

const std::vector<Operation> operations = {
    {"create", Before::nothing, false, true, run_create},
    {"failing-create", Before::nothing, true, true, run_failing_create},
    {"start", Before::created, false, true, run_start},
    {"exec", Before::running, false, true, run_exec},
    {"kill", Before::running, false, true, run_kill},
    {"kill-all", Before::running, false, true, run_kill_all},
    {"delete", Before::ended, false, true, run_delete},
    {"delete-force", Before::running, false, true, run_forced_delete},
    {"delete-force-created", Before::created, false, true, run_forced_delete_id},
    {"open", Before::running, false, false, run_open},
    {"state", Before::running, false, false, run_state},
    {"list", Before::running, false, false, run_list},
    {"wait", Before::ended, false, false, run_wait},
};

int Round::make_runtime() {
  reaper_runtime_options options = {};
  options.size = sizeof options;
  options.root = site.place_.root;
  return reaper_runtime_new(&options, &runtime, &error);
}

int Round::create(const std::string& kind) {
  const std::string& config = kind == "failing" ? site.failing_config_
                              : kind == "short" ? site.short_config_
                                                : site.long_config_;
  reaper_create_options options = {};
  options.size = sizeof options;
  options.bundle = site.place_.bundle;
  options.config = config.c_str();
  options.config_length = config.size();
  options.pid_file = site.pid_path_.c_str();
  if (site.scenario_.supervised) options.flags |= REAPER_CREATE_SUPERVISE;
  if (site.scenario_.terminal) options.console_socket = site.socket_path_.c_str();
  static const int32_t extra[] = {STDERR_FILENO};
  if (site.scenario_.rich) {
    options.extra_fds = extra;
    options.extra_fd_count = options.listen_fd_count = 1;
  }
  return reaper_create(runtime, id, &options, &container, &error);
}

void Round::wrong(const char* what) {
  snprintf(report.wrong, sizeof report.wrong, "%s", what);
}

Trace Site::round(const Operation& operation, const Target& target, const Judge& judge) {
  memset(report_, 0, sizeof *report_);
  unlink(pid_path_.c_str());
  if (scenario_.terminal) listener_ = listen_at(socket_path_.c_str(), 16);
  if (scenario_.devices) make_devices();
  if (scenario_.filter) remove_tree((std::string(place_.root) + "/.kept").c_str());
  return trace(
      [&] {
        const int before = count_entries("/proc/self/fd");
        Round round = {*this, *report_};
        prepare(round, operation.before);
        report_->began = true;
        open_window();
        const int result = operation.run(round);
        close_window();
        keep(*report_, result, round.error);
        reaper_error_free(round.error);
        reaper_container_free(round.container);
        reaper_runtime_free(round.runtime);
        report_->descriptors_left = count_entries("/proc/self/fd") - before;
        report_->returned = true;
        _exit(0);
      },
      target, judge);
}

}  // namespace reaper::walk
