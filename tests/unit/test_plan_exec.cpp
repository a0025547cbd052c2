// The plan of an exec, as text: the identity of a container's own process, in what the container is in.
#include <linux/capability.h>
#include <linux/sched.h>

#include "unit/test_plan_support.h"

using namespace reaper_test;
using reaper::ExecPlanOptions;
using reaper::ExecProcess;
using reaper::Operation;
using reaper::Plan;
using reaper::ProcessFacts;
using reaper::wire::Op;

static ExecProcess document(const char* text) {
  auto exec = reaper::parse_exec_process(text, std::nullopt);
  if (!exec.has_value()) stop(exec.error().message);
  return std::move(*exec);
}

static Plan plan_of(const char* text, const ProcessFacts& facts, const ExecPlanOptions& options) {
  auto plan = reaper::make_exec_plan(document(text), facts, options);
  if (!plan.has_value()) stop(plan.error().message);
  return std::move(*plan);
}

static std::string names_of(const Plan& plan) {
  std::string names;
  for (const Operation& operation : plan.operations) names += std::string(reaper::operation_name(operation.op)) + "\n";
  return names;
}

static constexpr const char* whole =
    R"({"args":["id"],"cwd":"/","user":{"uid":1,"gid":2,"umask":18},"oomScoreAdj":5,"noNewPrivileges":true,)"
    R"("terminal":true,"capabilities":{},"rlimits":[{"type":"RLIMIT_NOFILE","soft":7,"hard":8}],)"
    R"("execCPUAffinity":{"initial":"0","final":"1"}})";

static void everything(void**) {
  ExecPlanOptions options;
  options.namespaces = CLONE_NEWPID | CLONE_NEWNS;
  options.cgroups.resize(1);
  options.personality = 8;
  options.session_keyring = "_ses.x";
  const Plan plan = plan_of(whole, root_facts(), options);
  assert_string_equal(
      names_of(plan).c_str(),
      "setsid\nsched_setaffinity\ncgroup\nsched_setaffinity\noom_score_adj\nnot_dumpable\nsetns\n"
      "clone_parent\nsetsid\nterminal\npersonality\nkeyring\numask\nbounding\nsetresgid\nsetresuid\n"
      "chdir\nfind\ncapset\nambient\nno_new_privs\nready\nsetrlimit\nsignals\nclose_range\nverify\nexecve\n");
}

static void in_no_namespace_of_its_own(void**) {
  const Plan plan = plan_of(R"({"args":["id"],"cwd":"/"})", user_facts(), {});
  for (const Operation& operation : plan.operations)
    assert_true(operation.op != Op::enter && operation.op != Op::beside && operation.op != Op::cgroup &&
                operation.op != Op::wait && operation.op != Op::gate);
}

static void a_network_takes_no_second_process(void**) {
  ExecPlanOptions options;
  options.namespaces = CLONE_NEWNET;
  const Plan plan = plan_of(R"({"args":["id"],"cwd":"/"})", root_facts(), options);
  for (const Operation& operation : plan.operations) assert_true(operation.op != Op::beside);
}

static void rights(void**) {
  const struct {
    uint64_t namespaces;
    int lacks;
    const char* message;
  } rows[] = {{CLONE_NEWNET, CAP_SYS_ADMIN, "needs CAP_SYS_ADMIN"},
              {CLONE_NEWNS, CAP_SYS_CHROOT, "needs CAP_SYS_CHROOT"}};
  for (const auto& row : rows) {
    ProcessFacts facts = root_facts();
    for (uint64_t* set : {&facts.capabilities.permitted, &facts.capabilities.effective, &facts.capabilities.bounding})
      *set &= ~bit(row.lacks);
    ExecPlanOptions options;
    options.namespaces = row.namespaces;
    const auto plan = reaper::make_exec_plan(document(R"({"args":["id"],"cwd":"/"})"), facts, options);
    assert_false(plan.has_value());
    assert_int_equal(plan.error().code, REAPER_ERR_PERMISSION);
    assert_string_equal(plan.error().pointer.c_str(), "/linux/namespaces");
    assert_non_null(strstr(plan.error().message.c_str(), row.message));
  }
}

static void lists_of_processors(void**) {
  const struct {
    const char *list, *shown;
    std::vector<uint64_t> words;
  } rows[] = {{"0", "0", {1}},
              {"0-3,7", "0-3,7", {0x8f}},
              {"63", "63", {uint64_t{1} << 63}},
              {"62-65", "62-65", {uint64_t{3} << 62, 3}},
              {"64-200, 1", "64-200,1", {2, ~uint64_t{0}, ~uint64_t{0}, 0x1ff}}};
  for (const auto& row : rows) {
    const std::string text =
        std::string(R"({"args":["id"],"cwd":"/","execCPUAffinity":{"final":")") + row.list + "\"}}";
    const Plan plan = plan_of(text.c_str(), root_facts(), {});
    const Operation& operation = plan.operations[1];
    assert_true(operation.op == Op::affinity);
    assert_string_equal(operation.pointer.c_str(), "/process/execCPUAffinity/final");
    assert_string_equal(operation.strings[0].c_str(), row.shown);
    assert_true(operation.numbers == row.words);
  }
}

// Of a security module: written while /proc is the caller's, and taken by the program's execve(2) wherever that is.
static void labels_before_it_enters(void**) {
  const struct {
    const char* text;
    bool reaper::LabelFacts::* enabled;
    uint64_t module;
  } rows[] = {
      {R"({"args":["id"],"cwd":"/","apparmorProfile":"p"})", &reaper::LabelFacts::apparmor,
       reaper::wire::label_apparmor},
      {R"({"args":["id"],"cwd":"/","selinuxLabel":"p"})", &reaper::LabelFacts::selinux, reaper::wire::label_selinux}};
  for (const auto& row : rows) {
    ProcessFacts facts = root_facts();
    ExecPlanOptions options;
    options.namespaces = CLONE_NEWNS;
    const auto refused = reaper::make_exec_plan(document(row.text), facts, options);
    assert_false(refused.has_value());  // no kernel that would take it
    assert_int_equal(refused.error().code, REAPER_ERR_UNSUPPORTED);
    facts.labels.*row.enabled = true;
    const Plan plan = plan_of(row.text, facts, options);
    const Operation& label = plan.operations[1];
    assert_true(label.op == Op::exec_label && label.numbers[0] == row.module && label.strings[0].ends_with("p"));
    assert_true(plan.operations[2].op == Op::not_dumpable && plan.operations[3].op == Op::enter);
  }
}

// Its root first, which has everything there and nothing outside; what does not belong to it is joined before.
static void a_user_namespace(void**) {
  ExecPlanOptions options;
  options.namespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  options.outer_namespaces = CLONE_NEWNET;
  options.user = {{{0, 200000, 10}}, {{5, 100, 1}, {0, 300000, 5}}, false};
  const Plan plan =
      plan_of(R"({"args":["id"],"cwd":"/","user":{"uid":3,"gid":4,"additionalGids":[1,5]}})", root_facts(), options);
  assert_string_equal(
      names_of(plan).c_str(),
      "setsid\nnot_dumpable\nsetns\nsetns\nbecome_root\nclone_parent\nsetsid\nsetgroups\nsetresgid\nsetresuid\n"
      "chdir\nfind\ncapset\nambient\nready\nsignals\nclose_range\nverify\nexecve\n");
  assert_true(plan.operations[2].op == Op::enter_outer && plan.operations[2].numbers[0] == CLONE_NEWNET);
  assert_true(plan.operations[3].op == Op::enter && plan.operations[3].numbers[0] == (CLONE_NEWUSER | CLONE_NEWPID));
  assert_int_equal(plan.operations[4].numbers[1], 1);
  // As the kernel sorts them: by what they are outside.
  assert_true(plan.identity.groups == (std::vector<uint32_t>{5, 1}));
}

static void what_a_user_namespace_refuses(void**) {
  const struct {
    const char* user;
    reaper::UserNamespaceFacts facts;
    uint64_t outer;
    int code;
    const char* pointer;
  } rows[] = {
      {R"({"uid":10,"gid":0})", {{{0, 7, 10}}, {{0, 7, 10}}, false}, 0, REAPER_ERR_INVALID, "/process/user/uid"},
      {R"({"uid":0,"gid":10})", {{{0, 7, 10}}, {{0, 7, 10}}, false}, 0, REAPER_ERR_INVALID, "/process/user/gid"},
      {R"({"uid":0,"gid":0})", {{}, {{0, 7, 10}}, false}, 0, REAPER_ERR_INVALID, "/linux/uidMappings"},
      {R"({"uid":1,"gid":1})", {{{1, 7, 10}}, {{0, 7, 10}}, false}, 0, REAPER_ERR_UNSUPPORTED, "/linux/uidMappings"},
      {R"({"uid":0,"gid":0,"additionalGids":[0]})",
       {{{0, 7, 1}}, {{0, 7, 1}}, true},
       0,
       REAPER_ERR_PERMISSION,
       "/process/user/additionalGids"},
      {R"({"uid":0,"gid":0})",
       {{{0, 7, 1}}, {{0, 7, 1}}, false},
       CLONE_NEWNET,
       REAPER_ERR_PERMISSION,
       "/linux/namespaces"},
  };
  for (const auto& row : rows) {
    ExecPlanOptions options;
    options.namespaces = CLONE_NEWUSER | row.outer;
    options.outer_namespaces = row.outer;
    options.user = row.facts;
    const auto plan = reaper::make_exec_plan(
        document((std::string(R"({"args":["id"],"cwd":"/","user":)") + row.user + "}").c_str()), user_facts(), options);
    assert_false(plan.has_value());
    assert_int_equal(plan.error().code, row.code);
    assert_string_equal(plan.error().pointer.c_str(), row.pointer);
  }
}

// The host's limits are raised by who has rights over the host: the root of a user namespace has none, whoever enters
// it.
static void limits_of_the_host(void**) {
  const char* text = R"({"args":["id"],"cwd":"/","user":{"uid":0,"gid":0},)"
                     R"("rlimits":[{"type":"RLIMIT_NOFILE","soft":7,"hard":8}]})";
  ProcessFacts facts = root_facts();
  for (reaper::ResourceLimit& limit : facts.rlimits) limit = {7, 7};
  assert_true(reaper::make_exec_plan(document(text), facts, {}).has_value());
  ExecPlanOptions options;
  options.namespaces = CLONE_NEWUSER;
  options.user = {{{0, 200000, 10}}, {{0, 300000, 5}}, false};
  const auto plan = reaper::make_exec_plan(document(text), facts, options);
  assert_false(plan.has_value());
  assert_int_equal(plan.error().code, REAPER_ERR_PERMISSION);
  assert_string_equal(plan.error().pointer.c_str(), "/process/rlimits/0/hard");
}

// As for the container's own process: verified with what it takes, then loaded, right before the program.
static void the_filter_of_the_container(void**) {
  auto filter = std::make_shared<reaper::SeccompFilter>();
  filter->instructions = {7};
  filter->digest = "d";
  ExecPlanOptions options;
  options.filter = filter;
  const Plan plan =
      plan_of(R"({"args":["id"],"cwd":"/","user":{"uid":1,"gid":1},"capabilities":{}})", root_facts(), options);
  const size_t count = plan.operations.size();
  const Operation& loaded = plan.operations[count - 2];
  assert_true(loaded.op == Op::seccomp && plan.operations[count - 1].op == Op::exec);
  assert_true(loaded.numbers == (std::vector<uint64_t>{0, 0, bit(CAP_SYS_ADMIN), 0, 0, 0, 0, 7}));
  assert_true(plan.operations[count - 3].op == Op::verify &&
              plan.operations[count - 3].numbers[2] == bit(CAP_SYS_ADMIN));
  const auto refused = reaper::make_exec_plan(document(R"({"args":["id"],"cwd":"/"})"), user_facts(), options);
  assert_false(refused.has_value());
  assert_int_equal(refused.error().code, REAPER_ERR_PERMISSION);
  assert_string_equal(refused.error().pointer.c_str(), "/linux/seccomp");
}

static void warnings_when_strict(void**) {
  ExecPlanOptions options;
  options.strict = true;
  const auto plan = reaper::make_exec_plan(document(R"({"args":["id"],"cwd":"/","argz":[]})"), root_facts(), options);
  assert_false(plan.has_value());
  assert_string_equal(plan.error().pointer.c_str(), "/process/argz");
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(everything),
      cmocka_unit_test(in_no_namespace_of_its_own),
      cmocka_unit_test(a_network_takes_no_second_process),
      cmocka_unit_test(rights),
      cmocka_unit_test(lists_of_processors),
      cmocka_unit_test(labels_before_it_enters),
      cmocka_unit_test(a_user_namespace),
      cmocka_unit_test(what_a_user_namespace_refuses),
      cmocka_unit_test(limits_of_the_host),
      cmocka_unit_test(the_filter_of_the_container),
      cmocka_unit_test(warnings_when_strict),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
