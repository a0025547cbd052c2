// process: args, env, cwd, noNewPrivileges, oomScoreAdj, and what is ignored in it.
#include "unit/test_config_cases.h"

using namespace reaper_test;

static std::string whole_process(std::string_view members) {
  return document(R"("process":{)" + std::string(members) + "}");
}

static void args(void**) {
  reaper::Config config = accepted_silently(whole_process(R"("args":["sh","-c","","\u00e4 \"x\"\n"],"cwd":"/")"));
  const auto& got = config.process->args;
  assert_int_equal(got.size(), 4);
  assert_true(got[0] == "sh" && got[1] == "-c" && got[2].empty() && got[3] == "\xc3\xa4 \"x\"\n");

  constexpr Refusal rows[] = {
      {R"("cwd":"/")", REAPER_ERR_INVALID, "/process/args"},
      {R"("cwd":"/","args":[])", REAPER_ERR_INVALID, "/process/args"},
      {R"("cwd":"/","args":null)", REAPER_ERR_INVALID, "/process/args"},
      {R"("cwd":"/","args":"true")", REAPER_ERR_INVALID, "/process/args"},
      {R"("cwd":"/","args":{"0":"true"})", REAPER_ERR_INVALID, "/process/args"},
      {R"("cwd":"/","args":[""])", REAPER_ERR_INVALID, "/process/args/0"},
      {R"("cwd":"/","args":["","x"])", REAPER_ERR_INVALID, "/process/args/0"},
      {R"("cwd":"/","args":[null])", REAPER_ERR_INVALID, "/process/args/0"},
      {R"("cwd":"/","args":["a",1])", REAPER_ERR_INVALID, "/process/args/1"},
      {R"("cwd":"/","args":["a","b",["c"]])", REAPER_ERR_INVALID, "/process/args/2"},
      {R"("cwd":"/","args":["a","b\u0000c"])", REAPER_ERR_INVALID, ""},  // a NUL cannot reach execve: not JSON for us
      {R"("cwd":"/","commandLine":"true")", REAPER_ERR_INVALID, "/process/args"},
      {R"("cwd":"/","args":["a"],"commandLine":"a")", REAPER_ERR_UNSUPPORTED, "/process/commandLine"},
  };
  assert_refusals(whole_process, rows);
}

static void cwd(void**) {
  for (const char* path : {"/", "/tmp", "/a/../b", "//", "/with space"}) {
    reaper::Config config = accepted_silently(whole_process(R"("args":["a"],"cwd":")" + std::string(path) + "\""));
    assert_true(config.process->cwd == path);
  }
  constexpr Refusal rows[] = {
      {R"("args":["a"])", REAPER_ERR_INVALID, "/process/cwd"},
      {R"("args":["a"],"cwd":"")", REAPER_ERR_INVALID, "/process/cwd"},
      {R"("args":["a"],"cwd":".")", REAPER_ERR_INVALID, "/process/cwd"},
      {R"("args":["a"],"cwd":"tmp")", REAPER_ERR_INVALID, "/process/cwd"},
      {R"("args":["a"],"cwd":" /")", REAPER_ERR_INVALID, "/process/cwd"},
      {R"("args":["a"],"cwd":"c:\\foo")", REAPER_ERR_INVALID, "/process/cwd"},
      {R"("args":["a"],"cwd":null)", REAPER_ERR_INVALID, "/process/cwd"},
      {R"("args":["a"],"cwd":47)", REAPER_ERR_INVALID, "/process/cwd"},
      {R"("args":["a"],"cwd":["/"])", REAPER_ERR_INVALID, "/process/cwd"},
      {R"("args":["a"],"Cwd":"/")", REAPER_ERR_INVALID, "/process/cwd"},
  };
  assert_refusals(whole_process, rows);
  assert_refused(document(R"("process":null)"), REAPER_ERR_INVALID, "/process");
  assert_refused(document(R"("process":[])"), REAPER_ERR_INVALID, "/process");
  assert_refused(document(R"("process":{})"), REAPER_ERR_INVALID, "/process/args");
}

static void env(void**) {
  auto got = accepted_process(R"("env":["PATH=/bin","EMPTY=","A=b=c","A=again","\u00e4=1","with space=x"])").env;
  assert_int_equal(got.size(), 6);
  assert_true(got[0] == "PATH=/bin" && got[1] == "EMPTY=" && got[2] == "A=b=c");
  assert_true(got[3] == "A=again");  // twice: passed on as given
  assert_true(got[4] == "\xc3\xa4=1" && got[5] == "with space=x");
  assert_true(accepted_process(R"("env":[])").env.empty());

  constexpr Refusal rows[] = {
      {R"("env":["PATH"])", REAPER_ERR_INVALID, "/process/env/0"},
      {R"("env":[""])", REAPER_ERR_INVALID, "/process/env/0"},
      {R"("env":["="])", REAPER_ERR_INVALID, "/process/env/0"},
      {R"("env":["=x"])", REAPER_ERR_INVALID, "/process/env/0"},
      {R"("env":["A=1","B=2","HOME"])", REAPER_ERR_INVALID, "/process/env/2"},
      {R"("env":["A=1",null])", REAPER_ERR_INVALID, "/process/env/1"},
      {R"("env":["A=1",7])", REAPER_ERR_INVALID, "/process/env/1"},
      {R"("env":[["A=1"]])", REAPER_ERR_INVALID, "/process/env/0"},
      {R"("env":{"A":"1"})", REAPER_ERR_INVALID, "/process/env"},
      {R"("env":"A=1")", REAPER_ERR_INVALID, "/process/env"},
      {R"("env":null)", REAPER_ERR_INVALID, "/process/env"},
  };
  assert_refusals(process, rows);
}

// Environments hold secrets, and messages end up in logs.
static void env_entries_are_not_repeated(void**) {
  auto config = reaper::parse_config(process(R"("env":["hunter2"])"));
  assert_false(config.has_value());
  assert_true(config.error().message.find("hunter2") == std::string::npos);
}

static void no_new_privileges(void**) {
  assert_true(accepted_process(R"("noNewPrivileges":true)").no_new_privileges);
  assert_false(accepted_process(R"("noNewPrivileges":false)").no_new_privileges);
  constexpr Refusal rows[] = {
      {R"("noNewPrivileges":1)", REAPER_ERR_INVALID, "/process/noNewPrivileges"},
      {R"("noNewPrivileges":"true")", REAPER_ERR_INVALID, "/process/noNewPrivileges"},
      {R"("noNewPrivileges":null)", REAPER_ERR_INVALID, "/process/noNewPrivileges"},
      {R"("noNewPrivileges":[])", REAPER_ERR_INVALID, "/process/noNewPrivileges"},
      {R"("noNewPrivileges":{})", REAPER_ERR_INVALID, "/process/noNewPrivileges"},
  };
  assert_refusals(process, rows);
}

static void oom_score_adj(void**) {
  for (int value : {-1000, -999, -1, 0, 1, 100, 999, 1000}) {
    auto got = accepted_process(R"("oomScoreAdj":)" + std::to_string(value)).oom_score_adj;
    assert_true(got.has_value());
    assert_int_equal(*got, value);
  }
  constexpr Refusal rows[] = {
      {R"("oomScoreAdj":1001)", REAPER_ERR_INVALID, "/process/oomScoreAdj"},
      {R"("oomScoreAdj":-1001)", REAPER_ERR_INVALID, "/process/oomScoreAdj"},
      {R"("oomScoreAdj":4294967296)", REAPER_ERR_INVALID, "/process/oomScoreAdj"},
      {R"("oomScoreAdj":-4294967296)", REAPER_ERR_INVALID, "/process/oomScoreAdj"},
      {R"("oomScoreAdj":18446744073709551616)", REAPER_ERR_INVALID, "/process/oomScoreAdj"},
      {R"("oomScoreAdj":-0)", REAPER_ERR_INVALID, "/process/oomScoreAdj"},
      {R"("oomScoreAdj":1.0)", REAPER_ERR_INVALID, "/process/oomScoreAdj"},
      {R"("oomScoreAdj":1e2)", REAPER_ERR_INVALID, "/process/oomScoreAdj"},
      {R"("oomScoreAdj":"0")", REAPER_ERR_INVALID, "/process/oomScoreAdj"},
      {R"("oomScoreAdj":null)", REAPER_ERR_INVALID, "/process/oomScoreAdj"},
      {R"("oomScoreAdj":false)", REAPER_ERR_INVALID, "/process/oomScoreAdj"},
      {R"("oomScoreAdj":[0])", REAPER_ERR_INVALID, "/process/oomScoreAdj"},
  };
  assert_refusals(process, rows);
}

// config.md, Process: consoleSize MUST be ignored unless terminal is true.
static void terminal(void**) {
  for (const char* members :
       {R"("consoleSize":{"height":25,"width":80})", R"("consoleSize":{"height":0,"width":0},"terminal":false)",
        R"("consoleSize":{"height":70000,"width":-1},"terminal":false)", R"("terminal":false,"consoleSize":{})"})
    assert_false(accepted_process(members).terminal.has_value());
  auto plain = accepted_process(R"("terminal":true)").terminal;
  assert_int_equal(plain->rows, 0);
  assert_int_equal(plain->columns, 0);
  auto sized = accepted_process(R"("terminal":true,"consoleSize":{"height":25,"width":80})").terminal;
  assert_int_equal(sized->rows, 25);
  assert_int_equal(sized->columns, 80);
  auto largest = accepted_process(R"("consoleSize":{"height":65535,"width":65535},"terminal":true)").terminal;
  assert_int_equal(largest->rows, 65535);
  assert_int_equal(largest->columns, 65535);
  constexpr Refusal rows[] = {
      {R"("terminal":true,"consoleSize":{"height":65536,"width":80})", REAPER_ERR_INVALID,
       "/process/consoleSize/height"},
      {R"("terminal":true,"consoleSize":{"height":25,"width":-1})", REAPER_ERR_INVALID, "/process/consoleSize/width"},
      {R"("terminal":true,"consoleSize":{"height":25,"width":80.0})", REAPER_ERR_INVALID, "/process/consoleSize/width"},
      {R"("terminal":true,"consoleSize":{"height":25})", REAPER_ERR_INVALID, "/process/consoleSize/width"},
      {R"("terminal":true,"consoleSize":{"width":80})", REAPER_ERR_INVALID, "/process/consoleSize/height"},
      {R"("terminal":true,"consoleSize":{})", REAPER_ERR_INVALID, "/process/consoleSize/height"},
      {R"("terminal":1)", REAPER_ERR_INVALID, "/process/terminal"},
      {R"("terminal":null)", REAPER_ERR_INVALID, "/process/terminal"},
      {R"("consoleSize":[25,80])", REAPER_ERR_INVALID, "/process/consoleSize"},
      {R"("consoleSize":{"height":"25","width":80})", REAPER_ERR_INVALID, "/process/consoleSize/height"},
      {R"("consoleSize":{"height":25,"width":null})", REAPER_ERR_INVALID, "/process/consoleSize/width"},
  };
  assert_refusals(process, rows);
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(args),
      cmocka_unit_test(cwd),
      cmocka_unit_test(env),
      cmocka_unit_test(env_entries_are_not_repeated),
      cmocka_unit_test(no_new_privileges),
      cmocka_unit_test(oom_score_adj),
      cmocka_unit_test(terminal),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
