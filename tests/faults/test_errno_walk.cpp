// Every system call of every operation, of the library, of the child before its exec and of reaper-init, fails once
// with each errno of errnos.tsv. The operation says so, with stage and errno, or succeeds where outcomes.tsv tells why;
// it never hangs, and nothing is left. README.md tells how to run more of it by hand.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <algorithm>
#include <initializer_list>
#include <set>

#include "faults/tables.h"
#include "faults/walk.h"

using namespace reaper::walk;

namespace {

constexpr int most_complaints = 300;

struct Walk {
  Site& site;
  const Tables& tables;
  Share share;
  int failures = 0;
  int complaints = 0;
  std::set<std::string> said;  // one complaint of a kind will do

  // With one of the errnos of that call. How many it has; 0 when it cannot fail, -1 when the operation ended before.
  int fail_at(const Operation& operation, const Target& target, size_t index);
  int along(const Operation& operation, const std::string& role);
  void over(const Operation& operation);
  std::string judge(const Operation& operation, const Trace& trace, const Call& call, int number);
  std::string judge_result(const Operation& operation, const Call& call, int number);
  std::string judge_success(const Operation& operation);
  std::string judge_failure(const Operation& operation);
};

std::string Walk::judge_success(const Operation& operation) {
  if (operation.fails) return "it succeeds";
  if (site.report().wrong[0] != '\0') return std::string("a wrong success: ") + site.report().wrong;
  const std::string name = operation.name;
  int wanted = REAPER_STATUS_RUNNING;
  if (name == "create") wanted = REAPER_STATUS_CREATED;
  if (name.starts_with("kill") || name == "wait") wanted = REAPER_STATUS_STOPPED;
  if (name.starts_with("delete")) wanted = 0;
  const int status = site.status_now();
  if (status != wanted) return "a wrong success: the status is " + std::to_string(status);
  return wanted == 0 ? site.judge_nothing() : wanted == REAPER_STATUS_CREATED ? site.judge_given() : "";
}

std::string Walk::judge_failure(const Operation& operation) {
  const Report& report = site.report();
  if (report.message[0] == '\0' || report.stage[0] == '\0' || report.code != report.result)
    return "an error that says nothing";
  if (strchr(report.message, '\n') != nullptr) return "a message of more than one line";
  if (strcmp(operation.name, "create") == 0) return site.has_pid_file() ? "the pid file is left" : site.judge_nothing();
  const bool only_looks = !operation.changes || strcmp(operation.name, "exec") == 0;
  if (only_looks && operation.before == Before::running && site.status_now() != REAPER_STATUS_RUNNING)
    return "what only looks has changed the status";
  return "";
}

std::string Walk::judge_result(const Operation& operation, const Call& call, int number) {
  const Report& report = site.report();
  if (!report.returned) return "the caller did not come back";
  if (report.descriptors_left != 0) return "descriptors are left: " + std::to_string(report.descriptors_left);
  const std::string expected = operation.fails ? "either" : tables.outcome_of(call, operation.name, number);
  if (report.result == REAPER_OK && expected == "unheard" && site.status_now() == REAPER_STATUS_STOPPED) return "";
  if (report.result == REAPER_OK)
    return expected == "error" || expected == "other" ? "it succeeds" : judge_success(operation);
  if (expected == "success" || (expected == "error" && report.number != number)) return "another error";
  return judge_failure(operation);
}

std::string Walk::judge(const Operation& operation, const Trace& trace, const Call& call, int number) {
  if (!site.report().began) return "it did not begin";
  std::string wrong = trace.hung ? "it hangs: " + trace.stuck : judge_result(operation, call, number);
  for (const std::string& next : {site.judge_state(), site.judge_removal(), site.judge_life()})
    if (!next.empty()) wrong += (wrong.empty() ? "" : "; ") + next;
  return wrong;
}

int Walk::fail_at(const Operation& operation, const Target& target, size_t index) {
  Call call;
  int number = 0;
  int count = -1;
  const Trace trace = site.round(operation, target, [&](const Call& next) -> Verdict {
    call = next;
    const auto errnos = tables.errnos_of(next.name);
    if (!errnos) fail_msg("%s of %s is not in errnos.tsv", next.text.c_str(), operation.name);
    count = static_cast<int>(errnos->numbers.size());
    if (count == 0) return {};
    number = errnos->numbers[index % errnos->numbers.size()];
    return {.what = Verdict::fail, .error = number, .carried_out = next.call == SYS_close};
  });
  failures += number != 0;
  const std::string wrong = number != 0 ? judge(operation, trace, call, number) : site.judge_removal();
  if (wrong.empty()) return count;
  const Report& report = site.report();
  std::string kind = operation.name + std::string(name_of(call.who)) + call.text + wrong.substr(0, 40);
  std::erase_if(kind, [](char character) { return character >= '0' && character <= '9'; });
  if (call.text.find('/') == std::string::npos) kind += call.text;
  if (said.insert(kind + std::to_string(number)).second)
    print_error("%s: %s: %s (%s): call %d, %s, fails with %s: %s\n  %s: %s: %s [%s]\n", site.scenario().name,
                operation.name, target.role.c_str(), name_of(call.who), target.number, call.text.c_str(),
                number != 0 ? strerrorname_np(number) : "nothing", wrong.c_str(), reaper_error_name(report.result),
                report.number != 0 ? strerrorname_np(report.number) : "0", report.message, report.stage);
  ++complaints;
  return count;
}

int Walk::along(const Operation& operation, const std::string& role) {
  constexpr int tries = 3;  // a call less may have been needed once, because of who ran first
  int calls = 0;
  for (int number = share.first;; number += share.step) {
    int count = -1;
    for (int i = 0; i < tries && count < 0; ++i) count = fail_at(operation, {role, number}, 0);
    if (count < 0 || static_cast<int>(said.size()) > most_complaints) return calls;
    ++calls;
    for (int i = 1; i < count; ++i) fail_at(operation, {role, number}, static_cast<size_t>(i));
  }
}

void Walk::over(const Operation& operation) {
  const Trace whole = site.round(operation, {}, nullptr);
  const std::string before = site.judge_removal();
  if (whole.hung || !site.report().returned || !before.empty())
    fail_msg("%s: %s: unharmed: %s", site.scenario().name, operation.name, before.c_str());
  for (const auto& [role, count] : whole.counts) {
    const int already = failures;
    const int calls = along(operation, role);
    print_message("%s: %s: %s: %d calls, %d failures\n", site.scenario().name, operation.name, role.c_str(), calls,
                  failures - already);
  }
}

const Scenario* scenario = find_scenario("plain");
const char* only;
Share share;
int failed_calls;

bool is_one_of(const Operation& operation, std::initializer_list<const char*> names) {
  return std::ranges::any_of(names, [&](const char* name) { return strcmp(operation.name, name) == 0; });
}

// With a supervisor, REAPER_FAULTS=all walks these too: without one they are walked in any case. Once it is created, a
// container in namespaces is like another.
bool is_wanted(const Operation& operation) {
  const char* wanted = getenv("REAPER_FAULTS");
  if (only != nullptr) return strcmp(only, operation.name) == 0;
  if (wanted != nullptr && strcmp(wanted, "all") == 0) return true;
  if (scenario->isolated)
    return operation.before == Before::nothing ? !operation.fails : is_one_of(operation, {"start", "exec"});
  if (scenario->notify)
    return strcmp(operation.name, "start") == 0;  // exec takes minutes: bin/faults_errno_walk notify exec
  if (scenario->devices || scenario->mapped) return strcmp(operation.name, "create") == 0;
  if (scenario->user || scenario->joined || scenario->filter)
    return strcmp(operation.name, "create") == 0 || strcmp(operation.name, "start") == 0;
  if (!scenario->supervised) return true;
  return !operation.fails && strcmp(operation.name, "delete-force-created") != 0;
}

void test_walk(void**) {
  need_walks(*scenario);
  const Tables tables(FAULTS_TABLES);
  Site site(*scenario);
  const std::string life = site.judge_life();  // the runtime then holds what it keeps open
  if (!life.empty()) fail_msg("%s", life.c_str());
  assert_true(site.agent_rests());
  const int before = count_entries("/proc/self/fd");
  Walk walk = {site, tables, share, 0, 0, {}};
  for (const Operation& operation : operations)
    if (is_wanted(operation)) walk.over(operation);
  failed_calls = walk.failures;
  assert_int_equal(walk.complaints, 0);
  assert_true(walk.failures > 20);
  assert_true(site.agent_rests());
  assert_int_equal(count_entries("/proc/self/fd"), before);
  assert_true(site.asked() != 0);
}

int leave(void**) {
  leave_cgroups();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) scenario = find_scenario(argv[1]);
  if (argc > 2) only = argv[2];
  if (scenario == nullptr) {
    print_error("no such scenario: %s\n", argv[1]);
    return 2;
  }
  work_in_memory();
  const Shared all = run_in_shares(*scenario, [](Share mine, int& total) {
    share = mine;
    const CMUnitTest tests[] = {cmocka_unit_test_teardown(test_walk, leave)};
    const int failed = cmocka_run_group_tests_name("errno_walk", tests, nullptr, nullptr);
    total = failed_calls;
    return failed;
  });
  if (all.total != 0) print_message("%s: calls failed: %d\n", scenario->name, all.total);
  return all.status;
}
