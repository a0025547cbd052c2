// The process document of an exec: alone, and laid over the container's own process.
#include <string>

#include "config/config.h"
#include "unit/cmocka_cpp.h"

using reaper::parse_exec_process;

static const char base[] =
    R"({"args":["init"],"cwd":"/srv","env":["A=1","B=2"],"user":{"uid":5,"gid":6,"umask":7,"additionalGids":[8]},)"
    R"("capabilities":{"bounding":["CAP_KILL"],"permitted":["CAP_KILL"]},"terminal":true,)"
    R"("consoleSize":{"height":1,"width":2},"oomScoreAdj":9,"noNewPrivileges":true,"annotationLike":1.50e3})";

static reaper::Process over(const char* text) {
  auto exec = parse_exec_process(text, base);
  if (!exec.has_value()) fail_msg("%s", exec.error().message.c_str());
  return exec->process;
}

static void what_is_not_said_is_the_containers(void**) {
  const auto process = over(R"({"args":["id","-u"]})");
  assert_true((process.args == std::vector<std::string>{"id", "-u"}));
  assert_string_equal(process.cwd.c_str(), "/srv");
  assert_true((process.env == std::vector<std::string>{"A=1", "B=2"}));
  assert_true(process.user->uid == 5 && process.user->gid == 6 && process.user->umask == 7);
  assert_true((process.user->additional_gids == std::vector<uint32_t>{8}));
  assert_int_equal(process.capabilities->bounding, 1U << 5);
  assert_true(process.no_new_privileges && process.oom_score_adj == 9);
  assert_false(process.terminal.has_value());  // a terminal is never taken over
}

static void what_is_said_replaces_it_or_is_added(void**) {
  const auto process =
      over(R"({"args":["id"],"cwd":"/","env":["B=3","C=","B=4"],"user":{"uid":50,"additionalGids":[9]},)"
           R"("capabilities":{"permitted":["CAP_CHOWN"],"effective":["CAP_CHOWN"]},"terminal":true})");
  assert_string_equal(process.cwd.c_str(), "/");
  assert_true((process.env == std::vector<std::string>{"A=1", "B=3", "C=", "B=4"}));
  assert_true(process.user->uid == 50 && process.user->gid == 6);
  assert_true((process.user->additional_gids == std::vector<uint32_t>{8, 9}));
  assert_int_equal(process.capabilities->permitted, 1U << 5 | 1);
  assert_int_equal(process.capabilities->effective, 1);
  assert_true(process.terminal.has_value() && process.terminal->rows == 0);
}

static void alone_it_stands_alone(void**) {
  const auto exec = parse_exec_process(R"({"args":["id"],"cwd":"/"})", std::nullopt);
  assert_true(exec.has_value());
  assert_true(exec->process.env.empty() && !exec->process.user.has_value());
}

// What is wrong, with the pointer that it would have in config.json.
static void refusals(void**) {
  const struct {
    const char* text;
    bool laid_over;
    int code;
    const char* pointer;
  } rows[] = {
      {"", false, REAPER_ERR_INVALID, ""},
      {"{", true, REAPER_ERR_INVALID, ""},
      {"null", false, REAPER_ERR_INVALID, "/process"},
      {"[]", true, REAPER_ERR_INVALID, "/process"},
      {R"({"args":["id"],"cwd":"/"},"hooks":{})", false, REAPER_ERR_INVALID, ""},
      {R"({"args":["id"],"cwd":"/"}})", true, REAPER_ERR_INVALID, ""},
      {R"({"args":["id"],"args":["sh"],"cwd":"/"})", false, REAPER_ERR_INVALID, "/process/args"},
      {R"({"cwd":"/"})", false, REAPER_ERR_INVALID, "/process/args"},
      {R"({"args":["id"]})", false, REAPER_ERR_INVALID, "/process/cwd"},
      {R"({"args":[]})", true, REAPER_ERR_INVALID, "/process/args"},
      {R"({"env":1})", true, REAPER_ERR_INVALID, "/process/env"},
      {R"({"env":["NOTHING"]})", true, REAPER_ERR_INVALID, "/process/env/2"},
      {R"({"user":7})", true, REAPER_ERR_INVALID, "/process/user"},
      {R"({"user":{"uid":-1}})", true, REAPER_ERR_INVALID, "/process/user/uid"},
      {R"({"user":{"uid":4294967295}})", true, REAPER_ERR_INVALID, "/process/user/uid"},
      {R"({"user":{"uid":4294967296}})", true, REAPER_ERR_INVALID, "/process/user/uid"},
      {R"({"user":{"additionalGids":[1.0]}})", true, REAPER_ERR_INVALID, "/process/user/additionalGids/1"},
      {R"({"capabilities":{"permitted":1}})", true, REAPER_ERR_INVALID, "/process/capabilities/permitted"},
      {R"({"capabilities":{"effective":["CAP_CHOWN"]}})", true, REAPER_ERR_INVALID,
       "/process/capabilities/effective/0"},
      {R"({"commandLine":"x"})", true, REAPER_ERR_UNSUPPORTED, "/process/commandLine"},
  };
  for (const auto& row : rows) {
    const auto exec = row.laid_over ? parse_exec_process(row.text, base) : parse_exec_process(row.text, std::nullopt);
    if (exec.has_value()) fail_msg("accepted: %s", row.text);
    if (exec.error().pointer != row.pointer) print_error("%s\n", row.text);
    assert_int_equal(exec.error().code, row.code);
    assert_string_equal(exec.error().pointer.c_str(), row.pointer);
  }
}

static void unknown_names_are_warnings(void**) {
  const auto exec = parse_exec_process(R"({"args":["id"],"cwd":"/","argz":[]})", std::nullopt);
  assert_true(exec.has_value());
  assert_int_equal(exec->warnings.size(), 1);
  assert_string_equal(exec->warnings[0].pointer.c_str(), "/process/argz");
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_is_not_said_is_the_containers),
      cmocka_unit_test(what_is_said_replaces_it_or_is_added),
      cmocka_unit_test(alone_it_stands_alone),
      cmocka_unit_test(refusals),
      cmocka_unit_test(unknown_names_are_warnings),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
