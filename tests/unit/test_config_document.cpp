// The document as a whole: what may be left out, root, annotations, and the order of judgement.
#include "unit/test_config_cases.h"

using namespace reaper_test;

static std::string root(std::string_view members) {
  return document(R"("root":{)" + std::string(members) + "}");
}

static std::string annotations_object(std::string_view members) {
  return document(R"("annotations":{)" + std::string(members) + "}");
}

// Host mode's rule: linux, mounts and root may be absent; the specification lets process be absent, too.
static void the_smallest_documents(void**) {
  reaper::Config config = accepted_silently(R"({"ociVersion":"1.3.0"})");
  assert_false(config.process.has_value());
  assert_true(config.annotations.empty());
  assert_true(config.namespaces.empty());
  assert_true(config.oci_version == "1.3.0");

  config = accepted_silently(R"({"ociVersion":"1.0.2","process":{"args":["/bin/true"],"cwd":"/"}})");
  assert_true(config.process.has_value());
  assert_int_equal(config.process->args.size(), 1);
  assert_true(config.process->env.empty());
  assert_false(config.process->user.has_value());
  assert_false(config.process->capabilities.has_value());
  assert_false(config.process->no_new_privileges);
  assert_true(config.process->rlimits.empty());
  assert_false(config.process->oom_score_adj.has_value());

  accepted_silently(document(R"("linux":{},"mounts":[],"hooks":{},"hostname":"","annotations":{})"));
}

static void what_is_no_document(void**) {
  constexpr Refusal rows[] = {
      {"[]", REAPER_ERR_INVALID, ""},
      {"null", REAPER_ERR_INVALID, ""},
      {"\"1.3.0\"", REAPER_ERR_INVALID, ""},
      {"7", REAPER_ERR_INVALID, ""},
      {"true", REAPER_ERR_INVALID, ""},
      {"", REAPER_ERR_INVALID, ""},
      {"{", REAPER_ERR_INVALID, ""},
      {R"({"ociVersion":"1.3.0"} x)", REAPER_ERR_INVALID, ""},
      {R"({"ociVersion":"1.3.0",})", REAPER_ERR_INVALID, ""},
      {R"({"ociVersion":"1.3.0","ociVersion":"1.3.0"})", REAPER_ERR_INVALID, "/ociVersion"},
      {R"({"ociVersion":"1.3.0","process":{"cwd":"/","cwd":"/a"}})", REAPER_ERR_INVALID, "/process/cwd"},
  };
  assert_refusals(whole, rows);
}

static void root_path(void**) {
  for (const char* path : {"/", "//", "///", "/.", "/./", "/..", "/../..", "/.././/../"}) {
    std::string text = R"("path":")" + std::string(path) + "\"";
    accepted_silently(root(text));
    accepted_silently(root(text + R"(,"readonly":false)"));
  }
  // Others are directories; whether they are there, and may become a root, is told later. A symbolic link `a` would
  // lead elsewhere than to the host's root.
  for (const char* path :
       {"rootfs", ".", "..", "../../../..", "./", "/rootfs", "/...", "/.x", "//a", "/a/..", " /", "/ "}) {
    const reaper::Config config = accepted_silently(root(R"("readonly":true,"path":")" + std::string(path) + "\""));
    assert_true(config.root->path == path && config.root->readonly);
  }
  assert_true(accepted_silently(root(R"("path":"/")")).root->path.empty());
  constexpr Refusal rows[] = {
      {"", REAPER_ERR_INVALID, "/root/path"},
      {R"("readonly":false)", REAPER_ERR_INVALID, "/root/path"},
      {R"("path":"")", REAPER_ERR_INVALID, "/root/path"},
      {R"("path":null)", REAPER_ERR_INVALID, "/root/path"},
      {R"("path":1)", REAPER_ERR_INVALID, "/root/path"},
      {R"("path":["/"])", REAPER_ERR_INVALID, "/root/path"},
      {R"("path":"/","readonly":"false")", REAPER_ERR_INVALID, "/root/readonly"},
      {R"("path":"/","readonly":0)", REAPER_ERR_INVALID, "/root/readonly"},
      {R"("path":"/","readonly":null)", REAPER_ERR_INVALID, "/root/readonly"},
  };
  assert_refusals(root, rows);
  assert_refused(document(R"("root":"/")"), REAPER_ERR_INVALID, "/root");
  assert_refused(document(R"("root":null)"), REAPER_ERR_INVALID, "/root");
  assert_refused(document(R"("root":[])"), REAPER_ERR_INVALID, "/root");
}

static void annotations(void**) {
  reaper::Config config = accepted_silently(
      annotations_object(R"("com.example.key":"value","a/b~c":"","org.opencontainers.image.stopSignal":"SIGKILL",
                            "*":"star","\u00e4":"\u00f6")"));
  assert_int_equal(config.annotations.size(), 5);
  assert_true(config.annotations.at("com.example.key") == "value");
  assert_true(config.annotations.at("a/b~c").empty());
  assert_true(config.annotations.at("org.opencontainers.image.stopSignal") == "SIGKILL");
  assert_true(config.annotations.at("*") == "star");
  assert_true(config.annotations.at("\xc3\xa4") == "\xc3\xb6");

  constexpr Refusal rows[] = {
      {R"("":"x")", REAPER_ERR_INVALID, "/annotations/"},
      {R"("a":1)", REAPER_ERR_INVALID, "/annotations/a"},
      {R"("a":null)", REAPER_ERR_INVALID, "/annotations/a"},
      {R"("a":true)", REAPER_ERR_INVALID, "/annotations/a"},
      {R"("a":["x"])", REAPER_ERR_INVALID, "/annotations/a"},
      {R"("a":{"b":"c"})", REAPER_ERR_INVALID, "/annotations/a"},
      {R"("a/b~c":0)", REAPER_ERR_INVALID, "/annotations/a~1b~0c"},
      {R"("a":"x","a":"y")", REAPER_ERR_INVALID, "/annotations/a"},
  };
  assert_refusals(annotations_object, rows);
  assert_refused(document(R"("annotations":[])"), REAPER_ERR_INVALID, "/annotations");
  assert_refused(document(R"("annotations":null)"), REAPER_ERR_INVALID, "/annotations");
  assert_refused(document(R"("annotations":"")"), REAPER_ERR_INVALID, "/annotations");
}

// R11 of the security rules: no annotation changes what the program may do.
static void annotations_change_nothing_else(void**) {
  reaper::Config config =
      accepted_silently(document(R"("annotations":{"run.oci.keep_original_groups":"1","io.katacontainers.config":"x",
                                 "uid":"0","process.user.uid":"0","noNewPrivileges":"false"},
                  "process":{"args":["true"],"cwd":"/","noNewPrivileges":true,
                             "user":{"uid":1000,"gid":1000}})"));
  assert_int_equal(config.process->user->uid, 1000);
  assert_int_equal(config.process->user->gid, 1000);
  assert_true(config.process->no_new_privileges);
  assert_false(config.process->capabilities.has_value());
}

// What is wrong comes before what is not supported; within each, the document's order.
static void the_order_of_judgement(void**) {
  constexpr Refusal rows[] = {
      {R"("zos":{"a":1},"process":{"cwd":"/"})", REAPER_ERR_INVALID, "/process/args"},
      {R"("zos":{"a":1},"root":{})", REAPER_ERR_INVALID, "/root/path"},
      {R"("zos":{"a":1},"root":{"path":"rootfs"})", REAPER_ERR_UNSUPPORTED, "/zos"},
      {R"("root":{"path":"rootfs"},"hostname":7)", REAPER_ERR_INVALID, "/hostname"},
      {R"("zos":{"a":1},"windows":{"a":1})", REAPER_ERR_UNSUPPORTED, "/zos"},
      {R"("windows":{"a":1},"zos":{"a":1})", REAPER_ERR_UNSUPPORTED, "/windows"},
      {R"("mounts":[{"destination":"/a"}],"linux":{"namespaces":[{"type":"net"}]})", REAPER_ERR_INVALID,
       "/linux/namespaces/0/type"},
      {R"("mounts":[{"destination":1}])", REAPER_ERR_INVALID, "/mounts/0/destination"},
      {R"("hooks":{"poststop":[{"path":"a"}],"prestart":[{"path":"b"}]})", REAPER_ERR_INVALID,
       "/hooks/prestart/0/path"},
      {R"("zos":{"a":1},"annotations":{"":""})", REAPER_ERR_INVALID, "/annotations/"},
  };
  assert_refusals(document, rows);
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_smallest_documents),
      cmocka_unit_test(what_is_no_document),
      cmocka_unit_test(root_path),
      cmocka_unit_test(annotations),
      cmocka_unit_test(annotations_change_nothing_else),
      cmocka_unit_test(the_order_of_judgement),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
