// The plan of a hook: a program that is what its caller is, with nothing that was raised for reaper-init's own execve.
#include <dirent.h>
#include <linux/sched.h>

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

static Plan plan_inside(const ProcessFacts& facts, uint64_t namespaces, bool path_inside, bool denied = false) {
  reaper::HookPlace place;
  place.namespaces = namespaces;
  place.path_inside = path_inside;
  place.setgroups_denied = denied;
  place.gids = {{0, 1000, 1}};
  auto plan = reaper::make_hook_plan(some_hook(), "/hooks/startContainer/0", "/", facts, place);
  if (!plan.has_value()) stop(plan.error().message);
  return std::move(*plan);
}

static std::vector<uint64_t> joined(const Plan& plan) {
  std::vector<uint64_t> flags;
  for (const Operation& operation : plan.operations)
    if (operation.op == Op::join_process) flags.push_back(operation.numbers[0]);
  return flags;
}

// Of a user namespace it is the root: the path is looked for before it joins, or as that root.
static void in_a_user_namespace(void**) {
  constexpr uint64_t all = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS;
  for (const bool path_inside : {false, true}) {
    const Plan plan = plan_inside(root_facts(), all, path_inside);
    assert_true(joined(plan) == (std::vector<uint64_t>{CLONE_NEWPID, CLONE_NEWUSER | CLONE_NEWNS}));
    assert_int_equal(place_of(plan, Op::find) > place_of(plan, Op::become_root), path_inside);
    assert_int_equal(place_of(plan, Op::chdir) > place_of(plan, Op::become_root), path_inside);
    assert_true(place_of(plan, Op::become_root) < place_of(plan, Op::capabilities));
    assert_int_equal(only(plan, Op::become_root).numbers[1], 1);
    const auto& verify = only(plan, Op::verify).numbers;
    assert_int_equal(verify[0], 0);
    assert_true(verify[2] == verify[6] && verify[3] == verify[6]);  // everything
    assert_int_equal(verify.size(), reaper::wire::verify_fixed_numbers);
  }
}

// Who may not join a pid namespace here does so in the name of the user namespace.
static void in_a_user_namespace_of_its_own(void**) {
  ProcessFacts facts = user_facts();
  facts.groups = {7, 1000};
  const Plan plan = plan_inside(facts, CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWUTS, false, true);
  assert_true(joined(plan) == (std::vector<uint64_t>{CLONE_NEWUSER | CLONE_NEWPID, CLONE_NEWUTS}));
  assert_int_equal(only(plan, Op::become_root).numbers[1], 0);
  // Its groups stay, as they are seen there.
  const auto& verify = only(plan, Op::verify).numbers;
  assert_int_equal(verify.size(), reaper::wire::verify_fixed_numbers + 2);
  assert_int_equal(verify[reaper::wire::verify_fixed_numbers], 65534);
  assert_int_equal(verify[reaper::wire::verify_fixed_numbers + 1], 0);
  const Plan alone = plan_inside(facts, CLONE_NEWUSER | CLONE_NEWUTS, true, true);
  assert_true(joined(alone) == (std::vector<uint64_t>{CLONE_NEWUSER | CLONE_NEWUTS}));
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
      cmocka_unit_test(in_a_user_namespace),
      cmocka_unit_test(in_a_user_namespace_of_its_own),
      cmocka_unit_test(it_can_be_sent),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
