// The plan of a hook: a program that is what its caller is, with nothing that was raised for reaper-init's own execve.
#include <dirent.h>

#include "unit/test_plan_support.h"

using namespace reaper_test;
using reaper::Hook;
using reaper::Operation;
using reaper::Plan;
using reaper::ProcessFacts;
using reaper::wire::Op;

static Hook some_hook() {
  return {.path = "/usr/libexec/net", .args = {"net", "up"}, .env = {"A=1"}, .timeout_s = 5};
}

static Plan plan_of(const ProcessFacts& facts) {
  auto plan = reaper::make_hook_plan(some_hook(), "/hooks/prestart/1", "/srv/web", facts);
  if (!plan.has_value()) stop(plan.error().message);
  return std::move(*plan);
}

static const Operation& only(const Plan& plan, Op op) {
  const Operation* found = nullptr;
  for (const Operation& operation : plan.operations) {
    if (operation.op != op) continue;
    assert_null(found);
    found = &operation;
  }
  assert_non_null(found);
  return *found;
}

static size_t place_of(const Plan& plan, Op op) {
  return static_cast<size_t>(&only(plan, op) - plan.operations.data());
}

static void what_it_executes(void**) {
  const Plan plan = plan_of(user_facts());
  const Operation& find = only(plan, Op::find);
  assert_string_equal(find.strings[0].c_str(), "/usr/libexec/net");
  assert_string_equal(find.pointer.c_str(), "/hooks/prestart/1/path");
  const Operation& exec = only(plan, Op::exec);
  assert_string_equal(exec.pointer.c_str(), "/hooks/prestart/1/path");
  assert_true(exec.numbers == std::vector<uint64_t>{2});
  assert_true(exec.strings == (std::vector<std::string>{"net", "up", "A=1"}));
  assert_true(only(plan, Op::chdir).strings == std::vector<std::string>{"/srv/web"});
  assert_true(only(plan, Op::descriptors).numbers == std::vector<uint64_t>{0});
}

static void the_order(void**) {
  const Plan plan = plan_of(root_facts());
  // Nobody may look into those two that are not the hook yet; the session is the hook's alone; the last two are last.
  constexpr Op order[] = {Op::not_dumpable, Op::report,  Op::session,     Op::find,   Op::chdir,
                          Op::capabilities, Op::signals, Op::descriptors, Op::verify, Op::exec};
  for (size_t i = 1; i < std::size(order); ++i) assert_true(place_of(plan, order[i - 1]) < place_of(plan, order[i]));
  assert_int_equal(place_of(plan, Op::not_dumpable), 0);
  assert_int_equal(place_of(plan, Op::exec), plan.operations.size() - 1);
  for (const Operation& operation : plan.operations)
    assert_true(operation.op != Op::gate && operation.op != Op::wait && operation.op != Op::supervise &&
                operation.op != Op::umask);
}

static std::vector<Operation> of_identity(const Plan& plan) {
  std::vector<Operation> found;
  for (const Operation& operation : plan.operations)
    if (operation.op == Op::capabilities || operation.op == Op::keep_caps || operation.op == Op::bounding ||
        operation.op == Op::groups || operation.op == Op::gid || operation.op == Op::uid ||
        operation.op == Op::ambient || operation.op == Op::verify)
      found.push_back(operation);
  return found;
}

// For every caller of the golden tests: the same identity, by the same operations, as a process without `user` and
// `capabilities`.
static void the_identity_of_a_plain_process(void**) {
  const char* data = getenv("REAPER_TEST_DATA");
  const std::string directory = std::string(data != nullptr ? data : "tests/data") + "/plan";
  const auto config = reaper::parse_config(R"({"ociVersion":"1.0.0","process":{"args":["true"],"cwd":"/"}})");
  assert_true(config.has_value());
  DIR* entries = opendir(directory.c_str());
  assert_non_null(entries);
  int tried = 0;
  while (const dirent* entry = readdir(entries)) {
    const std::string name = entry->d_name;
    if (!name.ends_with(".facts")) continue;
    const ProcessFacts facts = read_situation(directory + "/" + name).facts;
    const auto process = reaper::make_plan(*config, facts, {});
    if (!process.has_value()) {
      assert_false(reaper::make_hook_plan(some_hook(), "/hooks/prestart/1", "/", facts).has_value());
      continue;
    }
    const auto wanted = of_identity(*process);
    const auto found = of_identity(plan_of(facts));
    assert_int_equal(found.size(), wanted.size());
    for (size_t i = 0; i < found.size(); ++i) {
      if (found[i].op != wanted[i].op || found[i].numbers != wanted[i].numbers) fail_msg("%s differs", name.c_str());
    }
    ++tried;
  }
  closedir(entries);
  assert_true(tried >= 30);
}

static void it_can_be_sent(void**) {
  const auto blob = reaper::encode_plan(plan_of(user_facts()));
  assert_true(blob.has_value());
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_it_executes),
      cmocka_unit_test(the_order),
      cmocka_unit_test(the_identity_of_a_plain_process),
      cmocka_unit_test(it_can_be_sent),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
