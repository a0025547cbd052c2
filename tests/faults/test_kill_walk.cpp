// SIGKILL at every system call of create, start, exec, kill and delete: of the process that calls the library, and of
// every reaper-init that is at work meanwhile. All of them, no samples. README.md tells how to run more of it by hand.
#include <stdlib.h>
#include <string.h>

#include "faults/walk.h"

using namespace reaper::walk;

namespace {

constexpr int most_complaints = 5;

// What runs by default, of scenarios that add little to the others and cost much. REAPER_FAULTS=all runs all.
struct Selection {
  const char* scenario;
  const char* operations;
};
constexpr Selection selections[] = {
    {"hooks", " create start delete "}, {"cgroup", " create exec kill-all delete "},
    {"terminal", " create delete "},    {"isolated", " create start exec delete-force "},
    {"user", " create delete-force "},  {"joined", " create start delete-force "},
    {"joined-supervised", " create "},  {"filter", " create start "},
    {"notify", " start exec "},         {"devices", " create delete-force "},
    {"joined-mapped", " create "}};

bool all_wanted() {
  const char* wanted = getenv("REAPER_FAULTS");
  return wanted != nullptr && strcmp(wanted, "all") == 0;
}

const char* only;  // an operation

bool is_wanted(const Scenario& scenario, const Operation& operation) {
  if (!operation.changes) return false;
  if (only != nullptr) return strcmp(only, operation.name) == 0;
  for (const Selection& selection : selections)
    if (strcmp(selection.scenario, scenario.name) == 0 && !all_wanted())
      return strstr(selection.operations, (" " + std::string(operation.name) + " ").c_str()) != nullptr;
  return true;
}

// The reaper-init of a hook is the same at every operation; that of an exec comes after the container's.
bool is_wanted(const Operation& operation, const std::string& role) {
  const bool main = role == "caller" || role == "caller/1" || role == "caller/1/1";
  const bool all = strcmp(operation.name, "create") == 0 || strcmp(operation.name, "exec") == 0;
  return main || all || all_wanted();
}

struct Walk {
  Site& site;
  Share share;
  int kills = 0;
  int complaints = 0;

  bool kill_at(const Operation& operation, const std::string& role, int number);
  int along(const Operation& operation, const std::string& role);
  void over(const Operation& operation);
  std::string judge(const Operation& operation, const Trace& trace, bool caller_killed);
};

// A caller that was not killed itself has a right to what reaper.h promises.
std::string judge_report(Site& site, const Operation& operation) {
  const Report& report = site.report();
  if (report.descriptors_left != 0) return "descriptors are left";
  if (report.result == REAPER_OK) return operation.fails ? "it succeeds" : "";
  if (report.message[0] == '\0' || report.stage[0] == '\0' || report.code != report.result)
    return "an error that says nothing";
  return operation.before == Before::nothing ? site.judge_nothing() : "";
}

std::string Walk::judge(const Operation& operation, const Trace& trace, bool caller_killed) {
  if (trace.hung) return "it hangs: " + trace.stuck;
  if (!site.report().began) return "it did not begin";
  std::string wrong;
  if (!caller_killed && !site.report().returned) wrong = "the caller did not come back";
  if (!caller_killed && site.report().returned) wrong = judge_report(site, operation);
  for (const std::string& next : {site.judge_state(), site.judge_removal(), site.judge_life()})
    if (!next.empty()) wrong += (wrong.empty() ? "" : "; ") + next;
  return wrong;
}

// False: the operation ended before the role came to a call of this number.
bool Walk::kill_at(const Operation& operation, const std::string& role, int number) {
  std::string text;
  const Trace trace = site.round(operation, {role, number}, [&](const Call& call) -> Verdict {
    text = call.text;
    return {.what = Verdict::kill};
  });
  const std::string wrong = judge(operation, trace, role == "caller" && !text.empty());
  if (!wrong.empty()) {
    ++complaints;
    print_error("%s: %s: %s is killed before its call %d, %s: %s\n", site.scenario().name, operation.name, role.c_str(),
                number, text.c_str(), wrong.c_str());
  }
  return !text.empty();
}

int Walk::along(const Operation& operation, const std::string& role) {
  constexpr int tries = 3;  // a call less may have been needed once, because of who ran first
  int killed = 0;
  for (int number = share.first;; number += share.step) {
    bool reached = false;
    for (int i = 0; i < tries && !reached && complaints < most_complaints; ++i)
      reached = kill_at(operation, role, number);
    if (!reached) return killed;
    ++killed;
  }
}

void Walk::over(const Operation& operation) {
  const Trace whole = site.round(operation, {}, nullptr);
  const std::string wrong = judge(operation, whole, false);
  if (!wrong.empty()) fail_msg("%s: %s: unharmed: %s", site.scenario().name, operation.name, wrong.c_str());
  for (const auto& [role, count] : whole.counts) {
    if (!is_wanted(operation, role)) continue;
    const int killed = along(operation, role);
    print_message("%s: %s: %s: killed at %d calls\n", site.scenario().name, operation.name, role.c_str(), killed);
    kills += killed;
  }
}

const Scenario* scenario = find_scenario("plain");
Share share;
int survived;

void test_walk(void**) {
  need_walks(*scenario);
  Site site(*scenario);
  Walk walk = {site, share};
  const std::string life = site.judge_life();  // the runtime then holds what it keeps open
  if (!life.empty()) fail_msg("%s", life.c_str());
  assert_true(site.agent_rests());
  const int before = count_entries("/proc/self/fd");
  for (const Operation& operation : operations)
    if (is_wanted(*scenario, operation)) walk.over(operation);
  survived = walk.kills - walk.complaints;
  assert_int_equal(walk.complaints, 0);
  assert_true(walk.kills > 100 / share.step);
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
    const int failed = cmocka_run_group_tests_name("kill_walk", tests, nullptr, nullptr);
    total = survived;
    return failed;
  });
  if (all.total != 0) print_message("%s: kills survived: %d\n", scenario->name, all.total);
  return all.status;
}
