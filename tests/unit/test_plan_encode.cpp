// The flat form: every byte against wire.h, by a decoder that shares no code with encode.cpp.
#include "unit/test_plan_support.h"

using namespace reaper_test;
namespace wire = reaper::wire;

static bool same(const reaper::Operation& a, const reaper::Operation& b) {
  return a.op == b.op && a.pointer == b.pointer && a.numbers == b.numbers && a.strings == b.strings;
}

static std::string encoded(const reaper::Plan& plan) {
  auto bytes = reaper::encode_plan(plan);
  if (!bytes.has_value()) stop(bytes.error().message);
  return *bytes;
}

static reaper::Plan planned(const char* config_text, const reaper::ProcessFacts& facts, uint32_t extra_fds = 0) {
  auto config = reaper::parse_config(config_text);
  if (!config.has_value()) stop(config.error().message);
  reaper::PlanOptions options;
  options.extra_fds = extra_fds;
  auto plan = reaper::make_plan(*config, facts, options);
  if (!plan.has_value()) stop(plan.error().message);
  return *plan;
}

static void round_trip(void**) {
  const reaper::Plan plan = planned(R"({"ociVersion":"1.0.0","process":{"args":["sh","-c",""],"cwd":"/",
    "env":["A=","PATH=/bin"],"user":{"uid":4294967294,"gid":7,"umask":511,"additionalGids":[9,8]},
    "oomScoreAdj":-1000,"noNewPrivileges":true,"capabilities":{"ambient":[],"permitted":["CAP_KILL"]},
    "rlimits":[{"type":"RLIMIT_NOFILE","soft":3,"hard":18446744073709551615}]}})",
                                    root_facts(), 1024);
  const auto operations = decode(encoded(plan));
  assert_int_equal(operations.size(), plan.operations.size());
  for (size_t i = 0; i < operations.size(); ++i)
    if (!same(operations[i], plan.operations[i])) fail_msg("operation %zu differs", i);

  const auto* oom = find_operation(operations, wire::Op::oom_score_adj);
  assert_non_null(oom);
  assert_true(static_cast<int64_t>(oom->numbers[0]) == -1000);
  assert_int_equal(find_operation(operations, wire::Op::uid)->numbers[0], 4294967294U);
  assert_int_equal(find_operation(operations, wire::Op::descriptors)->numbers[0], 1024);
  const auto* exec = find_operation(operations, wire::Op::exec);
  assert_int_equal(exec->numbers[0], 3);
  assert_int_equal(exec->strings.size(), 5);
  assert_string_equal(exec->strings[2].c_str(), "");
  assert_string_equal(exec->strings[4].c_str(), "PATH=/bin");
  const auto* verify = find_operation(operations, wire::Op::verify);
  assert_int_equal(verify->numbers.size(), wire::verify_fixed_numbers + 2);
  assert_int_equal(verify->numbers[11], 8);
  assert_int_equal(verify->numbers[12], 9);
}

// One small plan, byte by byte.
static void exact_bytes(void**) {
  reaper::Plan plan;
  plan.operations.push_back({wire::Op::umask, "/u", {18}, {}});
  plan.operations.push_back({wire::Op::chdir, "", {}, {"/tmp"}});
  const std::string bytes = encoded(plan);
  const unsigned char wanted[] = {
      'R', 'P', 'L', 'N', 1,   0,   0, 0,
      80,  0,   0,   0,   2,   0,   0, 0,  // the magic, version 1, 80 bytes, 2 operations
      5,   0,   0,   0,   32,  0,   0, 0,
      1,   0,   0,   0,   1,   0,   0, 0,  // umask: 32 bytes, 1 number, 1 string
      18,  0,   0,   0,   0,   0,   0, 0,
      2,   0,   0,   0,   '/', 'u', 0, 0,  // 022, then "/u", padded
      11,  0,   0,   0,   32,  0,   0, 0,
      0,   0,   0,   0,   2,   0,   0, 0,  // chdir: 32 bytes, 2 strings
      0,   0,   0,   0,   0,   4,   0, 0,
      0,   '/', 't', 'm', 'p', 0,   0, 0,  // "", "/tmp", padded
  };
  assert_int_equal(bytes.size(), sizeof wanted);
  for (size_t i = 0; i < sizeof wanted; ++i)
    if (static_cast<unsigned char>(bytes[i]) != wanted[i]) fail_msg("byte %zu is %d", i, bytes[i]);
}

static void every_size(void**) {
  // Lengths around the padding, numbers of all counts.
  for (size_t length = 0; length < 20; ++length)
    for (size_t count = 0; count < 4; ++count) {
      reaper::Plan plan;
      plan.operations.push_back({wire::Op::groups, std::string(length, 'p'), std::vector<uint64_t>(count, ~0ULL), {}});
      plan.operations.push_back({wire::Op::exec, "", {1}, {std::string(length, 's'), "", std::string(count, 't')}});
      const std::string bytes = encoded(plan);
      assert_int_equal(bytes.size() % 8, 0);
      const auto operations = decode(bytes);
      assert_int_equal(operations.size(), 2);
      assert_true(same(operations[0], plan.operations[0]) && same(operations[1], plan.operations[1]));
    }
  const auto nothing = decode(encoded(reaper::Plan{}));
  assert_int_equal(nothing.size(), 0);
}

static void refusals(void**) {
  reaper::Plan plan;
  plan.operations.push_back({wire::Op::exec, "/process/args", {1}, {std::string("a\0b", 3)}});
  auto bytes = reaper::encode_plan(plan);
  assert_false(bytes.has_value());
  assert_int_equal(bytes.error().code, REAPER_ERR_INVALID);
  assert_string_equal(bytes.error().pointer.c_str(), "/process/args");

  plan.operations[0].strings = {std::string(wire::max_plan_bytes / 2, 'a'), std::string(wire::max_plan_bytes / 2, 'b')};
  bytes = reaper::encode_plan(plan);
  assert_false(bytes.has_value());
  assert_int_equal(bytes.error().code, REAPER_ERR_INVALID);
  assert_string_equal(bytes.error().stage.c_str(), "plan");

  plan.operations[0].strings.resize(1);
  assert_true(reaper::encode_plan(plan).has_value());
}

static void names(void**) {
  assert_true(reaper::operation_name(wire::Op::session) == "setsid");
  assert_true(reaper::operation_name(wire::Op::groups) == "setgroups");
  assert_true(reaper::operation_name(wire::Op::gid) == "setresgid");
  assert_true(reaper::operation_name(wire::Op::uid) == "setresuid");
  assert_true(reaper::operation_name(wire::Op::chdir) == "chdir");
  assert_true(reaper::operation_name(wire::Op::capabilities) == "capset");
  assert_true(reaper::operation_name(wire::Op::descriptors) == "close_range");
  assert_true(reaper::operation_name(wire::Op::verify) == "verify");
  assert_true(reaper::operation_name(wire::Op::exec) == "execve");
  assert_true(reaper::operation_name(wire::Op::not_dumpable) == "not_dumpable");
  assert_true(reaper::operation_name(static_cast<wire::Op>(0)) == "init");
  assert_true(reaper::operation_name(static_cast<wire::Op>(999)) == "init");
}

// Secrets stay out of the text: people paste it.
static void text_hides_the_environment(void**) {
  const reaper::Plan plan = planned(
      R"({"ociVersion":"1.0.0","process":{"args":["a b","\"\n"],"cwd":"/","env":["TOKEN=hunter2"]}})", user_facts());
  const std::string text = reaper::plan_to_text(plan);
  assert_true(text.find("hunter2") == std::string::npos);
  assert_true(text.find(R"(execve "a b" "\"\n" with 1 environment entr)") != std::string::npos);
}

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(round_trip), cmocka_unit_test(exact_bytes),
                              cmocka_unit_test(every_size), cmocka_unit_test(refusals),
                              cmocka_unit_test(names),      cmocka_unit_test(text_hides_the_environment)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
