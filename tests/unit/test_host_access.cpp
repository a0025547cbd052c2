// What another user could reach and execute, worked out from owners and modes; and what execve(2) sees in a file. That
// it is what really happens is shown with real users in tests/api/test_check.c.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "host/access.h"
#include "host/program_head.h"
#include "unit/cmocka_cpp.h"

using reaper::Access;
using reaper::Fd;
using reaper::ProgramKind;
using reaper::Subject;
using reaper::Verdict;

namespace {

std::string place;  // a directory that everybody may enter

int make_place(void**) {
  char name[] = "/tmp/reaper-access-XXXXXX";
  if (mkdtemp(name) == nullptr || chmod(name, 0755) != 0) return 1;
  place = name;
  return 0;
}

int remove_place(void**) {
  for (const char* file : {"closed/file", "closed", "file", "link", "loop", "way", "list"})
    remove((place + "/" + file).c_str());
  return rmdir(place.c_str());
}

void write_file(const std::string& name, std::string_view text, mode_t mode) {
  const std::string path = place + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  assert_int_equal(chmod(path.c_str(), mode), 0);
}

// Somebody who is not this process, and owns nothing.
Subject stranger() {
  return {54321, 54321, {777, 54321}, 0};
}

// Facts of a process that is nobody of this test.
reaper::ProcessFacts nobody() {
  reaper::ProcessFacts facts;
  facts.effective_uid = 99999;
  return facts;
}

void assert_refused(const Access& access, int error, const std::string& where) {
  assert_true(access.verdict == Verdict::no);
  assert_int_equal(access.error, error);
  assert_string_equal(access.where.c_str(), (place + where).c_str());
}

void modes_decide(void**) {
  write_file("file", "x", 0644);
  assert_refused(may_execute(place + "/file", stranger(), nobody()), EACCES, "/file");
  write_file("file", "x", 0645);
  assert_true(may_execute(place + "/file", stranger(), nobody()).verdict == Verdict::yes);
  // The class decides, not the most generous bit: an owner without x is refused though others have it.
  Subject owner = stranger();
  owner.uid = geteuid();
  assert_refused(may_execute(place + "/file", owner, nobody()), EACCES, "/file");
  // CAP_DAC_OVERRIDE executes what anybody may, and CAP_DAC_READ_SEARCH does not.
  owner.effective = uint64_t{1} << CAP_DAC_OVERRIDE;
  assert_true(may_execute(place + "/file", owner, nobody()).verdict == Verdict::yes);
  owner.effective = uint64_t{1} << CAP_DAC_READ_SEARCH;
  assert_refused(may_execute(place + "/file", owner, nobody()), EACCES, "/file");
  write_file("file", "x", 0644);
  owner.effective = uint64_t{1} << CAP_DAC_OVERRIDE;
  assert_refused(may_execute(place + "/file", owner, nobody()), EACCES, "/file");
}

void the_way_decides_too(void**) {
  assert_int_equal(mkdir((place + "/closed").c_str(), 0700), 0);
  write_file("closed/file", "x", 0755);
  const Access access = may_execute(place + "/closed/file", stranger(), nobody());
  assert_refused(access, EACCES, "/closed/file");
  assert_int_equal(access.mode, 0700);
  assert_refused(may_enter(place + "/closed", stranger(), nobody()), EACCES, "/closed");
  Subject searcher = stranger();
  searcher.effective = uint64_t{1} << CAP_DAC_READ_SEARCH;
  assert_true(may_execute(place + "/closed/file", searcher, nobody()).verdict == Verdict::yes);
  // Through a link, which is what the message names.
  assert_int_equal(symlink("closed/../closed/file", (place + "/way").c_str()), 0);
  assert_refused(may_execute(place + "/way", stranger(), nobody()), EACCES, "/way");
  assert_true(may_execute(place + "/way", searcher, nobody()).verdict == Verdict::yes);
}

void what_is_missing(void**) {
  write_file("file", "x", 0755);
  assert_int_equal(symlink("loop", (place + "/loop").c_str()), 0);
  assert_int_equal(symlink("/tmp", (place + "/link").c_str()), 0);
  assert_refused(may_enter(place + "/nothing/below", stranger(), nobody()), ENOENT, "/nothing");
  assert_refused(may_enter(place + "/file", stranger(), nobody()), ENOTDIR, "/file");
  assert_refused(may_enter(place + "/file/", stranger(), nobody()), ENOTDIR, "/file");
  assert_refused(may_execute(place + "/file/below", stranger(), nobody()), ENOTDIR, "/file");
  assert_refused(may_execute(place + "/loop", stranger(), nobody()), ELOOP, "/loop");
  assert_refused(may_execute(place, stranger(), nobody()), EACCES, "");
  assert_true(may_enter(place + "/link", stranger(), nobody()).verdict == Verdict::yes);
  assert_true(may_enter(place + "/./", stranger(), nobody()).verdict == Verdict::yes);
  assert_true(may_enter("/", stranger(), nobody()).verdict == Verdict::yes);
}

// An access control list may give and take: it is not read, and no answer is made up.
void access_lists_are_doubts(void**) {
  constexpr auto any = static_cast<uint32_t>(ACL_UNDEFINED_ID);
  struct {
    posix_acl_xattr_header header;
    posix_acl_xattr_entry entries[5];
  } list = {
      {POSIX_ACL_XATTR_VERSION},
      {{ACL_USER_OBJ, 7, any}, {ACL_USER, 5, 54321}, {ACL_GROUP_OBJ, 0, any}, {ACL_MASK, 5, any}, {ACL_OTHER, 0, any}}};
  write_file("list", "x", 0700);
  if (setxattr((place + "/list").c_str(), "system.posix_acl_access", &list, sizeof list, 0) != 0) {
    print_message("SKIP: no access control lists here\n");
    skip();
  }
  const Access access = may_execute(place + "/list", stranger(), nobody());
  assert_true(access.verdict == Verdict::unknown);
  assert_true(access.why.find("access control list") != std::string::npos);
  Subject owner = stranger();
  owner.uid = geteuid();
  assert_true(may_execute(place + "/list", owner, nobody()).verdict == Verdict::yes);  // whom no entry but his concerns
}

void links_of_proc_are_doubts(void**) {
  const Access access = may_enter("/proc/self/cwd", stranger(), nobody());
  assert_true(access.verdict == Verdict::unknown);
  // Nor is the kernel asked: its answer would be about this process.
  const auto own = reaper::read_process_facts();
  assert_true(own.has_value());
  const Subject self = {own->effective_uid, own->effective_gid, own->groups, own->capabilities.effective};
  assert_true(may_enter("/proc/self/cwd", self, *own).verdict == Verdict::unknown);
}

reaper::ProgramHead head_of(std::string_view text) {
  write_file("file", text, 0755);
  return reaper::read_program_head(Fd(open((place + "/file").c_str(), O_PATH | O_CLOEXEC)));
}

void heads_of_scripts(void**) {
  constexpr struct {
    const char* text;
    const char* interpreter;  // "": no script
  } rows[] = {
      {"#!/bin/sh\n", "/bin/sh"},
      {"#! \t/bin/sh\n", "/bin/sh"},
      {"#!/bin/sh -e -u\n", "/bin/sh"},
      {"#!/bin/sh", "/bin/sh"},
      {"#!sh\nexit\n", "sh"},
      {"#!\n", ""},
      {"#!  \n", ""},
      {"#", ""},
      {"", ""},
      {"\n#!/bin/sh\n", ""},
      {"plain text", ""},
  };
  for (const auto& row : rows) {
    const auto head = head_of(row.text);
    assert_string_equal(head.interpreter.c_str(), row.interpreter);
    assert_true(head.kind == (*row.interpreter != '\0' ? ProgramKind::script : ProgramKind::other));
  }
  // The kernel reads 256 bytes: a longer name would be another file's (fs/binfmt_script.c).
  assert_true(head_of("#!/" + std::string(250, 'x') + "\n").kind == ProgramKind::script);
  assert_true(head_of("#!/" + std::string(300, 'x') + "\n").kind == ProgramKind::other);
}

void heads_of_programs(void**) {
  const auto own = reaper::read_program_head(Fd(open("/proc/self/exe", O_PATH | O_CLOEXEC)));
  assert_true(own.kind == ProgramKind::elf && !own.foreign && !own.sets_ids);
  assert_true(own.interpreter.starts_with("/"));
  std::ifstream file("/proc/self/exe", std::ios::binary);
  std::string bytes(4096, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes[18] = static_cast<char>(bytes[18] + 1);  // e_machine
  assert_true(head_of(bytes).foreign);
  assert_true(head_of(bytes.substr(0, 20)).kind == ProgramKind::elf);  // cut short: nothing else is said
  assert_true(head_of(bytes.substr(0, 64)).interpreter.empty());
  write_file("file", "#!/bin/sh\n", 04755);
  const auto elevated = reaper::read_program_head(Fd(open((place + "/file").c_str(), O_PATH | O_CLOEXEC)));
  assert_true(elevated.sets_ids && elevated.uid == geteuid());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(modes_decide, make_place, remove_place),
      cmocka_unit_test_setup_teardown(the_way_decides_too, make_place, remove_place),
      cmocka_unit_test_setup_teardown(what_is_missing, make_place, remove_place),
      cmocka_unit_test_setup_teardown(access_lists_are_doubts, make_place, remove_place),
      cmocka_unit_test_setup_teardown(links_of_proc_are_doubts, make_place, remove_place),
      cmocka_unit_test_setup_teardown(heads_of_scripts, make_place, remove_place),
      cmocka_unit_test_setup_teardown(heads_of_programs, make_place, remove_place),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
