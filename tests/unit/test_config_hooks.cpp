// hooks: what each of them may be, and the form that the record keeps.
#include "unit/test_config_cases.h"

using namespace reaper_test;
using reaper::Hook;
using reaper::HookKind;
using reaper::Hooks;

static constexpr const char* kinds[] = {"prestart",       "createRuntime", "createContainer",
                                        "startContainer", "poststart",     "poststop"};

// One createRuntime hook of these members.
static std::string hook(std::string_view members) {
  return document(R"("hooks":{"createRuntime":[{)" + std::string(members) + "}]}");
}

static Hook accepted_hook(std::string_view members) {
  const reaper::Config config = accepted_silently(hook(members));
  const auto& list = config.hooks.of(HookKind::create_runtime);
  assert_int_equal(list.size(), 1);
  return list[0];
}

static void every_kind_in_listed_order(void**) {
  for (size_t i = 0; i < reaper::hook_kind_count; ++i) {
    const std::string name = kinds[i];
    const auto config = accepted_silently(document(R"("hooks":{")" + name + R"(":[{"path":"/a"},{"path":"/b"}]})"));
    const auto kind = static_cast<HookKind>(i);
    assert_string_equal(std::string(reaper::hook_kind_name(kind)).c_str(), name.c_str());
    assert_string_equal(reaper::hook_pointer(kind, 1).c_str(), ("/hooks/" + name + "/1").c_str());
    assert_false(config.hooks.empty());
    for (size_t other = 0; other < reaper::hook_kind_count; ++other)
      assert_int_equal(config.hooks.lists[other].size(), other == i ? 2 : 0);
    assert_true(config.hooks.of(kind)[0].path == "/a" && config.hooks.of(kind)[1].path == "/b");
    assert_refused(document(R"("hooks":{")" + name + R"(":[{"path":"/a"},{}]})"), REAPER_ERR_INVALID,
                   "/hooks/" + name + "/1/path");
  }
  assert_true(accepted_silently(document(R"("hooks":{})")).hooks.empty());
  assert_true(accepted_silently(document(R"("hooks":{"poststop":[]})")).hooks.empty());
}

static void path(void**) {
  for (const char* text : {"/", "/bin/true", "/a/../b", "//", "/with space"})
    assert_true(accepted_hook(R"("path":")" + std::string(text) + "\"").path == text);
  constexpr Refusal rows[] = {
      {R"()", REAPER_ERR_INVALID, "/hooks/createRuntime/0/path"},
      {R"("args":["/bin/true"])", REAPER_ERR_INVALID, "/hooks/createRuntime/0/path"},
      {R"("path":"")", REAPER_ERR_INVALID, "/hooks/createRuntime/0/path"},
      {R"("path":"true")", REAPER_ERR_INVALID, "/hooks/createRuntime/0/path"},
      {R"("path":"./true")", REAPER_ERR_INVALID, "/hooks/createRuntime/0/path"},
      {R"("path":" /bin/true")", REAPER_ERR_INVALID, "/hooks/createRuntime/0/path"},
      {R"("path":null)", REAPER_ERR_INVALID, "/hooks/createRuntime/0/path"},
      {R"("path":["/bin/true"])", REAPER_ERR_INVALID, "/hooks/createRuntime/0/path"},
      {R"("path":"/a\u0000b")", REAPER_ERR_INVALID, ""},
  };
  assert_refusals(hook, rows);
}

static void args(void**) {
  assert_true(accepted_hook(R"("path":"/a")").args == std::vector<std::string>{"/a"});
  assert_true(accepted_hook(R"("path":"/a","args":[])").args == std::vector<std::string>{"/a"});
  assert_true(accepted_hook(R"("path":"/a","args":["name","","-x"])").args ==
              (std::vector<std::string>{"name", "", "-x"}));
  constexpr Refusal rows[] = {
      {R"("path":"/a","args":null)", REAPER_ERR_INVALID, "/hooks/createRuntime/0/args"},
      {R"("path":"/a","args":"x")", REAPER_ERR_INVALID, "/hooks/createRuntime/0/args"},
      {R"("path":"/a","args":["x",1])", REAPER_ERR_INVALID, "/hooks/createRuntime/0/args/1"},
  };
  assert_refusals(hook, rows);
}

// The same rules as for process.env.
static void env(void**) {
  assert_true(accepted_hook(R"("path":"/a")").env.empty());
  assert_true(accepted_hook(R"("path":"/a","env":["A=1","A=2","B="])").env ==
              (std::vector<std::string>{"A=1", "A=2", "B="}));
  constexpr Refusal rows[] = {
      {R"("path":"/a","env":"A=1")", REAPER_ERR_INVALID, "/hooks/createRuntime/0/env"},
      {R"("path":"/a","env":["A=1","B"])", REAPER_ERR_INVALID, "/hooks/createRuntime/0/env/1"},
      {R"("path":"/a","env":["=1"])", REAPER_ERR_INVALID, "/hooks/createRuntime/0/env/0"},
      {R"("path":"/a","env":[""])", REAPER_ERR_INVALID, "/hooks/createRuntime/0/env/0"},
      {R"("path":"/a","env":[1])", REAPER_ERR_INVALID, "/hooks/createRuntime/0/env/0"},
  };
  assert_refusals(hook, rows);
}

static void timeout(void**) {
  assert_true(accepted_hook(R"("path":"/a")").timeout_s == 0);
  assert_true(accepted_hook(R"("path":"/a","timeout":1)").timeout_s == 1);
  assert_true(accepted_hook(R"("path":"/a","timeout":9223372036854775807)").timeout_s == INT64_MAX);
  constexpr Refusal rows[] = {
      {R"("path":"/a","timeout":0)", REAPER_ERR_INVALID, "/hooks/createRuntime/0/timeout"},
      {R"("path":"/a","timeout":-1)", REAPER_ERR_INVALID, "/hooks/createRuntime/0/timeout"},
      {R"("path":"/a","timeout":1.5)", REAPER_ERR_INVALID, "/hooks/createRuntime/0/timeout"},
      {R"("path":"/a","timeout":1e3)", REAPER_ERR_INVALID, "/hooks/createRuntime/0/timeout"},
      {R"("path":"/a","timeout":9223372036854775808)", REAPER_ERR_INVALID, "/hooks/createRuntime/0/timeout"},
      {R"("path":"/a","timeout":99999999999999999999)", REAPER_ERR_INVALID, "/hooks/createRuntime/0/timeout"},
      {R"("path":"/a","timeout":"5")", REAPER_ERR_INVALID, "/hooks/createRuntime/0/timeout"},
      {R"("path":"/a","timeout":null)", REAPER_ERR_INVALID, "/hooks/createRuntime/0/timeout"},
  };
  assert_refusals(hook, rows);
}

static void unknown_names_are_warnings(void**) {
  assert_warning(document(R"("hooks":{"postStart":[{"path":"/a"}]})"), "/hooks/postStart", "poststart");
  assert_warning(hook(R"("path":"/a","timeOut":5)"), "/hooks/createRuntime/0/timeOut", "timeout");
}

static void the_record_gives_them_back(void**) {
  const Hooks hooks = accepted_silently(document(R"("hooks":{
      "prestart":[{"path":"/p","args":["\u00e4","\"\n"],"env":["A=b=c","E="],"timeout":9223372036854775807}],
      "poststop":[{"path":"/q"},{"path":"/r","timeout":1}]})"))
                          .hooks;
  const std::string text = reaper::hooks_to_json(hooks);
  assert_true(text.starts_with(R"({"prestart":[{"path":"/p","args":[)"));
  const auto again = reaper::hooks_from_json(text);
  assert_true(again.has_value());
  assert_true(*again == hooks);
  assert_string_equal(reaper::hooks_to_json({}).c_str(), "{}");
  assert_false(reaper::hooks_from_json("[]").has_value());
  assert_false(reaper::hooks_from_json(R"({"poststop":[{"path":"relative"}]})").has_value());
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_in_listed_order),
      cmocka_unit_test(path),
      cmocka_unit_test(args),
      cmocka_unit_test(env),
      cmocka_unit_test(timeout),
      cmocka_unit_test(unknown_names_are_warnings),
      cmocka_unit_test(the_record_gives_them_back),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
