// diagnose_config(): all that is wrong with a document at once. That its first error is parse_config()'s own is
// asserted for every refusal of the other tests (test_config_cases.h).
#include "unit/test_config_cases.h"

using namespace reaper_test;

static void assert_pointers(const std::string& text, std::initializer_list<std::string_view> pointers) {
  const reaper::Diagnosis diagnosis = reaper::diagnose_config(text);
  std::string found, wanted;
  for (const reaper::Error& error : diagnosis.errors) found += error.pointer + "\n";
  for (const std::string_view pointer : pointers) wanted.append(pointer).append("\n");
  assert_string_equal(found.c_str(), wanted.c_str());
  assert_int_equal(diagnosis.left_out, 0);
}

static void every_member_of_process(void**) {
  assert_pointers(R"({"ociVersion":"one","process":{"args":[],"cwd":"x","env":["A=1","B","=c"],"oomScoreAdj":1001,
                      "noNewPrivileges":true,"user":{"uid":-1,"umask":512,"additionalGids":[1,4294967295,2,-3]}}})",
                  {"/ociVersion", "/process/args", "/process/cwd", "/process/env/1", "/process/env/2",
                   "/process/user/uid", "/process/user/gid", "/process/user/umask", "/process/user/additionalGids/1",
                   "/process/user/additionalGids/3", "/process/oomScoreAdj"});
  assert_pointers(capabilities(R"("effective":["CAP_KILL","CAP_CHOWN"],"permitted":["CAP_SETUID"])"),
                  {"/process/capabilities/effective/0", "/process/capabilities/effective/1"});
}

static void every_rlimit(void**) {
  assert_pointers(
      process(R"("rlimits":[{"type":"RLIMIT_NOTHING","soft":-1,"hard":1},{"type":"RLIMIT_CPU","soft":2},
                             {"type":"RLIMIT_CPU","soft":1,"hard":1},{"type":"RLIMIT_CPU","soft":1,"hard":1}])"),
      {"/process/rlimits/0/type", "/process/rlimits/0/soft", "/process/rlimits/1/hard", "/process/rlimits/3/type"});
}

static void every_namespace_and_annotation(void**) {
  assert_pointers(document(R"("annotations":{"":"x","a":1,"b":"c"},
                              "linux":{"namespaces":[{"type":"net"},{"type":"pid","path":"x"},{"type":"ipc"},{}]})"),
                  {"/annotations/a", "/annotations/", "/linux/namespaces/0/type", "/linux/namespaces/1/path",
                   "/linux/namespaces/3/type"});
}

// Wrong types first, then wrong values, then what cannot be applied; one error for a pointer.
static void types_values_and_what_is_not_supported(void**) {
  assert_pointers(
      R"({"ociVersion":"1.0.0","zos":{"a":1},"root":{"path":"rootfs","readonly":true},
                      "process":{"args":["a",1],"cwd":7,"env":["B"]},
                      "linux":{"resources":{"unified":{"a":"b"}},"sysctl":5}})",
      {"/process/args/1", "/process/cwd", "/linux/sysctl", "/process/env/0", "/zos", "/linux/resources/unified"});
  assert_pointers(R"({"ociVersion":"1.0.0","process":[],"linux":"x"})", {"/process", "/linux"});
}

static void what_could_be_read_is_there(void**) {
  const reaper::Diagnosis diagnosis = reaper::diagnose_config(
      R"({"ociVersion":"1.0.0","zos":{"a":1},"proces":1,"process":{"args":["a"],"cwd":"/","noNewPrivileges":true}})");
  assert_int_equal(diagnosis.errors.size(), 1);
  assert_int_equal(diagnosis.errors[0].code, REAPER_ERR_UNSUPPORTED);
  assert_true(diagnosis.config.process.has_value() && diagnosis.config.process->no_new_privileges);
  assert_int_equal(diagnosis.config.warnings.size(), 1);
}

static void nothing_more_of_another_major_version(void**) {
  assert_pointers(R"({"ociVersion":"2.0.0","process":[]})", {"/ociVersion"});
  assert_pointers("{", {""});
  assert_pointers("[]", {""});
}

static void a_bounded_number(void**) {
  std::string entries;
  for (int i = 0; i < 5000; ++i) entries += i == 0 ? "\"A\"" : ",\"A\"";
  const reaper::Diagnosis diagnosis = reaper::diagnose_config(process("\"env\":[" + entries + "]"));
  assert_int_equal(diagnosis.errors.size(), 100);
  assert_int_equal(diagnosis.left_out, 4900);
}

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(every_member_of_process),
                              cmocka_unit_test(every_rlimit),
                              cmocka_unit_test(every_namespace_and_annotation),
                              cmocka_unit_test(types_values_and_what_is_not_supported),
                              cmocka_unit_test(what_could_be_read_is_there),
                              cmocka_unit_test(nothing_more_of_another_major_version),
                              cmocka_unit_test(a_bounded_number)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
