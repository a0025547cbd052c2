// src/seccomp: linux.seccomp -> instructions, which a small interpreter of classic BPF (linux/filter.h) carries out: so
// what a filter answers is compared, not how libseccomp writes it. And the digest, and the cache.
#include "seccomp/seccomp.h"

#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstring>
#include <thread>

#include "core/sha256.h"
#include "unit/test_config_cases.h"

using namespace reaper_test;
using reaper::SeccompFilter;

namespace {

#if defined(__x86_64__)
constexpr uint32_t own_architecture = AUDIT_ARCH_X86_64;
#else
constexpr uint32_t own_architecture = AUDIT_ARCH_AARCH64;
#endif

uint32_t answer(const SeccompFilter& filter, const seccomp_data& data) {
  uint32_t a = 0;
  for (size_t pc = 0; pc < filter.instructions.size(); ++pc) {
    sock_filter one;
    memcpy(&one, &filter.instructions[pc], sizeof one);
    const bool jumps = BPF_CLASS(one.code) == BPF_JMP;
    switch (one.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        memcpy(&a, reinterpret_cast<const char*>(&data) + one.k, sizeof a);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= one.k;
        break;
      case BPF_JMP | BPF_JA:
        pc += one.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        pc += a == one.k ? one.jt : one.jf;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        pc += a > one.k ? one.jt : one.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        pc += a >= one.k ? one.jt : one.jf;
        break;
      case BPF_RET | BPF_K:
        return one.k;
      default:
        print_error("instruction %#x%s is not known here\n", one.code, jumps ? " (a jump)" : "");
        fail();
    }
  }
  fail();
  return 0;
}

uint32_t answer(const SeccompFilter& filter, int number, std::vector<uint64_t> arguments = {}) {
  seccomp_data data = {};
  data.nr = number;
  data.arch = own_architecture;
  for (size_t i = 0; i < arguments.size(); ++i) data.args[i] = arguments[i];
  return answer(filter, data);
}

reaper::Seccomp section(std::string_view members) {
  reaper::Config config = accepted_silently(linux_section(R"("seccomp":{)" + std::string(members) + "}"));
  assert_non_null(config.seccomp.get());
  return *config.seccomp;
}

SeccompFilter compiled(std::string_view members) {
  auto filter = reaper::compile_filter(section(members));
  if (!filter.has_value()) {
    print_error("%s\n", filter.error().message.c_str());
    fail();
  }
  return std::move(*filter);
}

std::string allow_but(std::string_view rules) {
  return R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[)" + std::string(rules) + "]";
}

void test_sha256(void**) {
  // FIPS 180-4's examples, and the lengths at which the padding takes a block more.
  assert_string_equal(reaper::sha256_hex("").c_str(),
                      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_string_equal(reaper::sha256_hex("abc").c_str(),
                      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert_string_equal(reaper::sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").c_str(),
                      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  assert_string_equal(reaper::sha256_hex(std::string(1000000, 'a')).c_str(),
                      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  assert_string_equal(reaper::sha256_hex(std::string(55, 'a')).c_str(),
                      "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  assert_string_equal(reaper::sha256_hex(std::string(56, 'a')).c_str(),
                      "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  assert_string_equal(reaper::sha256_hex(std::string(64, 'a')).c_str(),
                      "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

void test_actions(void**) {
  const struct {
    const char* action;
    uint32_t wanted;
  } rows[] = {{R"("SCMP_ACT_KILL")", SECCOMP_RET_KILL_THREAD},
              {R"("SCMP_ACT_KILL_THREAD")", SECCOMP_RET_KILL_THREAD},
              {R"("SCMP_ACT_KILL_PROCESS")", SECCOMP_RET_KILL_PROCESS},
              {R"("SCMP_ACT_TRAP")", SECCOMP_RET_TRAP},
              {R"("SCMP_ACT_ERRNO")", SECCOMP_RET_ERRNO | 1},
              {R"("SCMP_ACT_ERRNO","errnoRet":0)", SECCOMP_RET_ERRNO},
              {R"("SCMP_ACT_ERRNO","errnoRet":4094)", SECCOMP_RET_ERRNO | 4094},
              {R"("SCMP_ACT_TRACE")", SECCOMP_RET_TRACE | 1},
              {R"("SCMP_ACT_TRACE","errnoRet":65535)", SECCOMP_RET_TRACE | 65535},
              {R"("SCMP_ACT_LOG")", SECCOMP_RET_LOG},
              {R"("SCMP_ACT_ALLOW")", SECCOMP_RET_ALLOW}};
  for (const auto& row : rows) {
    const SeccompFilter filter =
        compiled(allow_but(R"({"names":["mkdirat","xyzzy"],"action":)" + std::string(row.action) + "}"));
    assert_int_equal(answer(filter, __NR_mkdirat), row.wanted);
    assert_int_equal(answer(filter, __NR_getpid), SECCOMP_RET_ALLOW);
    assert_int_equal(filter.warnings.size(), 1);
    assert_string_equal(filter.warnings[0].pointer.c_str(), "/linux/seccomp/syscalls/0/names/1");
    assert_int_equal(filter.rules, row.wanted == SECCOMP_RET_ALLOW ? 0 : 1);  // as the default: none
  }
}

void test_operators(void**) {
  const uint64_t big = uint64_t{5} << 32 | 7;
  const struct {
    const char* op;
    std::vector<uint64_t> hit, missed;
  } rows[] = {{"SCMP_CMP_NE", {0, 7, big - 1, UINT64_MAX}, {big}},
              {"SCMP_CMP_LT", {0, 8, big - 1}, {big, big + 1, UINT64_MAX}},
              {"SCMP_CMP_LE", {0, big}, {big + 1, uint64_t{6} << 32}},
              {"SCMP_CMP_EQ", {big}, {7, uint64_t{5} << 32, 0}},
              {"SCMP_CMP_GE", {big, UINT64_MAX, uint64_t{6} << 32}, {big - 1, UINT32_MAX}},
              {"SCMP_CMP_GT", {big + 1, uint64_t{6} << 32}, {big, 0, UINT32_MAX}}};
  for (const auto& row : rows) {
    const SeccompFilter filter = compiled(
        allow_but(R"({"names":["ioctl"],"action":"SCMP_ACT_ERRNO","args":[{"index":1,"value":21474836487,"op":")" +
                  std::string(row.op) + R"("}]})"));
    for (const uint64_t value : row.hit)
      assert_int_equal(answer(filter, __NR_ioctl, {0, value}), SECCOMP_RET_ERRNO | 1);
    for (const uint64_t value : row.missed) assert_int_equal(answer(filter, __NR_ioctl, {0, value}), SECCOMP_RET_ALLOW);
  }
  // CVE-2019-10063: the low half alone.
  const SeccompFilter filter = compiled(allow_but(
      R"({"names":["ioctl"],"action":"SCMP_ACT_ERRNO","args":[{"index":1,"value":4294967295,"valueTwo":21522,"op":"SCMP_CMP_MASKED_EQ"}]})"));
  for (const uint64_t value : {uint64_t{0x5412}, uint64_t{0x100005412}, uint64_t{0xffffffff00005412}})
    assert_int_equal(answer(filter, __NR_ioctl, {0, value}), SECCOMP_RET_ERRNO | 1);
  assert_int_equal(answer(filter, __NR_ioctl, {0, 0x5413}), SECCOMP_RET_ALLOW);
}

void test_conditions(void**) {
  const SeccompFilter both = compiled(allow_but(
      R"({"names":["ioctl"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":5,"value":2,"op":"SCMP_CMP_EQ"}]})"));
  assert_int_equal(answer(both, __NR_ioctl, {1, 0, 0, 0, 0, 2}), SECCOMP_RET_ERRNO | 1);
  assert_int_equal(answer(both, __NR_ioctl, {1, 0, 0, 0, 0, 3}), SECCOMP_RET_ALLOW);
  assert_int_equal(answer(both, __NR_ioctl, {2, 0, 0, 0, 0, 2}), SECCOMP_RET_ALLOW);
  const SeccompFilter either = compiled(allow_but(
      R"({"names":["ioctl"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":0,"value":2,"op":"SCMP_CMP_EQ"},{"index":1,"value":3,"op":"SCMP_CMP_EQ"}]})"));
  for (const auto& hit : {std::vector<uint64_t>{1, 0}, {2, 0}, {0, 3}})
    assert_int_equal(answer(either, __NR_ioctl, hit), SECCOMP_RET_ERRNO | 1);
  assert_int_equal(answer(either, __NR_ioctl, {3, 4}), SECCOMP_RET_ALLOW);
  assert_int_equal(either.rules, 3);
}

// A tree of system calls has to answer as a list does: every number, for a profile with as many names as there are.
void test_every_number(void**) {
  std::string names;
  for (const char* name :
       {"read",   "write",  "openat",  "close",  "fstat",  "mmap",  "mprotect", "munmap", "brk",   "ioctl",
        "getpid", "socket", "connect", "execve", "exit",   "wait4", "kill",     "uname",  "fcntl", "fsync",
        "getcwd", "chdir",  "umask",   "capget", "capset", "prctl", "mount",    "reboot", "sync"})
    names += (names.empty() ? "\"" : ",\"") + std::string(name) + "\"";
  const SeccompFilter filter = compiled(R"("defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":[)" + names +
                                        R"(],"action":"SCMP_ACT_ALLOW"}])");
  size_t allowed = 0;
  for (int number = 0; number < 600; ++number) {
    const uint32_t got = answer(filter, number);
    assert_true(got == SECCOMP_RET_ALLOW || got == (SECCOMP_RET_ERRNO | 1));
    allowed += got == SECCOMP_RET_ALLOW;
  }
  assert_int_equal(allowed, 29);
  assert_int_equal(answer(filter, __NR_reboot), SECCOMP_RET_ALLOW);
  assert_int_equal(answer(filter, __NR_setns), SECCOMP_RET_ERRNO | 1);
}

void test_architectures(void**) {
  seccomp_data foreign = {};
  foreign.arch = own_architecture == AUDIT_ARCH_X86_64 ? AUDIT_ARCH_I386 : AUDIT_ARCH_ARM;
  foreign.nr = 39;  // mkdir of both
  constexpr const char* rule = R"({"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"})";
  assert_int_equal(answer(compiled(allow_but(rule)), foreign), SECCOMP_RET_KILL_THREAD);
  const SeccompFilter both = compiled(
      allow_but(rule) +
      R"(,"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32","SCMP_ARCH_AARCH64","SCMP_ARCH_ARM","SCMP_ARCH_X86"])");
  assert_int_equal(answer(both, foreign), SECCOMP_RET_ERRNO | 1);
  foreign.arch = AUDIT_ARCH_RISCV64;
  assert_int_equal(answer(both, foreign), SECCOMP_RET_KILL_THREAD);
  for (const std::string_view name : reaper::seccomp_architectures())
    compiled(R"("defaultAction":"SCMP_ACT_ALLOW","architectures":[")" + std::string(name) + "\"]");
  const auto refused = reaper::compile_filter(
      section(R"("defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86","SCMP_ARCH_S390X"])"));
  assert_int_equal(refused.error().code, REAPER_ERR_UNSUPPORTED);
  assert_string_equal(refused.error().pointer.c_str(), "/linux/seccomp/architectures/1");
}

// Each of the specification's: this build's libseccomp has it in one filter with this machine's, or it is told apart.
void test_every_architecture(void**) {
  const auto known = reaper::seccomp_architectures();
  size_t compiled_ones = 0;
  for (const char* name :
       {"X86",    "X86_64",   "X32",         "ARM",         "AARCH64", "MIPS",    "MIPS64", "MIPS64N32",
        "MIPSEL", "MIPSEL64", "MIPSEL64N32", "PPC",         "PPC64",   "PPC64LE", "S390",   "S390X",
        "PARISC", "PARISC64", "RISCV64",     "LOONGARCH64", "M68K",    "SH",      "SHEB"}) {
    const std::string architecture = std::string("SCMP_ARCH_") + name;
    const auto filter = reaper::compile_filter(
        section(R"("defaultAction":"SCMP_ACT_ALLOW","architectures":[")" + architecture + "\"]"));
    const bool listed = std::ranges::find(known, architecture) != known.end();
    assert_int_equal(filter.has_value(), listed);
    compiled_ones += filter.has_value();
    if (listed) continue;
    assert_int_equal(filter.error().code, REAPER_ERR_UNSUPPORTED);
    assert_string_equal(filter.error().pointer.c_str(), "/linux/seccomp/architectures/0");
  }
  assert_int_equal(compiled_ones, known.size());
  assert_refused(linux_section(R"("seccomp":{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_VAX"]})"),
                 REAPER_ERR_INVALID, "/linux/seccomp/architectures/0");
}

// config-linux.md: an errno beside an action that takes none is an error, for a rule and for the default action.
void test_every_errno(void**) {
  for (const char* action :
       {"KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO", "TRACE", "ALLOW", "LOG", "NOTIFY"}) {
    const std::string name = std::string("\"SCMP_ACT_") + action + "\"";
    const bool takes = name == "\"SCMP_ACT_ERRNO\"" || name == "\"SCMP_ACT_TRACE\"";
    const std::string by_rule =
        R"("seccomp":{"listenerPath":"/agent","defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"errnoRet":7,"action":)" +
        name + "}]}";
    const std::string by_default =
        R"("seccomp":{"listenerPath":"/agent","defaultErrnoRet":7,"defaultAction":)" + name + "}";
    if (takes) {
      accepted_silently(linux_section(by_rule));
      accepted_silently(linux_section(by_default));
    } else {
      assert_refused(linux_section(by_rule), REAPER_ERR_INVALID, "/linux/seccomp/syscalls/0/errnoRet");
      assert_refused(linux_section(by_default), REAPER_ERR_INVALID, "/linux/seccomp/defaultErrnoRet");
    }
  }
}

// What a hostile document may ask for takes bounded time, and is an error.
void test_too_much(void**) {
  std::string args;
  for (int i = 0; i < 4097; ++i)
    args +=
        (i == 0 ? R"({"index":0,"value":)" : R"(,{"index":0,"value":)") + std::to_string(i) + R"(,"op":"SCMP_CMP_EQ"})";
  const auto rules = reaper::compile_filter(
      section(allow_but(R"({"names":["ioctl"],"action":"SCMP_ACT_ERRNO","args":[)" + args + "]}")));
  assert_int_equal(rules.error().code, REAPER_ERR_INVALID);
  assert_string_equal(rules.error().pointer.c_str(), "/linux/seccomp/syscalls");
  std::string names;
  for (int i = 0; i < 1000; ++i) names += (i == 0 ? "\"" : ",\"") + std::string("x") + std::to_string(i) + "\"";
  const SeccompFilter unknown = compiled(allow_but(R"({"names":[)" + names + R"(],"action":"SCMP_ACT_ERRNO"})"));
  assert_int_equal(unknown.warnings.size(), 101);
}

// A write beyond RLIMIT_FSIZE would bring SIGXFSZ, which ends a host.
void test_no_room_for_files(void**) {
  const reaper::Seccomp seccomp = section(allow_but(R"({"names":["mkdir"],"action":"SCMP_ACT_ERRNO"})"));
  const pid_t child = fork();
  if (child == 0) {
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_FSIZE, &none) != 0) _exit(2);
    const auto refused = reaper::compile_filter(seccomp);
    _exit(!refused.has_value() && refused.error().sys_errno == EFBIG ? 0 : 1);
  }
  assert_true(child > 0);
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

void test_digest(void**) {
  const std::string one =
      reaper::seccomp_digest(section(allow_but(R"({"names":["mkdir"],"action":"SCMP_ACT_ERRNO"})")));
  assert_int_equal(one.size(), 64);
  assert_true(one == reaper::seccomp_digest(section(
                         allow_but(R"({"action":"SCMP_ACT_ERRNO","errnoRet":1,"names":["mkdir"],"args":[]})"))));
  for (const char* other :
       {R"({"names":["mkdir"],"action":"SCMP_ACT_ERRNO","errnoRet":2})",
        R"({"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"})",
        R"({"names":["rmdir"],"action":"SCMP_ACT_ERRNO"})",
        R"({"names":["mkdir"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]})"})
    assert_true(one != reaper::seccomp_digest(section(allow_but(other))));
}

std::string number_rule(int i) {
  return allow_but(R"({"names":["mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":)" + std::to_string(i) + "}");
}

reaper::Result<SeccompFilter> make_anew(const reaper::Seccomp& seccomp, const std::string& digest) {
  auto filter = reaper::compile_filter(seccomp);
  if (filter.has_value()) assert_string_equal(filter->digest.c_str(), digest.c_str());
  return filter;
}

// What was written down is taken back as it was; whatever else stands there is no filter.
void test_encoded(void**) {
  const SeccompFilter made = *reaper::compile_filter(
      section(allow_but(R"({"names":["mkdirat","xyzzy"],"action":"SCMP_ACT_ERRNO","errnoRet":7})")));
  const std::string name = reaper::kept_filter_name(made.digest);
  assert_int_equal(name.size(), 64);
  assert_string_equal(name.c_str(), reaper::kept_filter_name(made.digest).c_str());
  assert_true(name != reaper::kept_filter_name(std::string(64, '0')));
  const std::string text = reaper::encode_filter(made, name);
  const auto back = reaper::decode_filter(text, name, made.digest);
  assert_true(back.has_value());
  assert_true(back->instructions == made.instructions);
  assert_int_equal(back->flags, made.flags);
  assert_int_equal(back->rules, made.rules);
  assert_string_equal(back->digest.c_str(), made.digest.c_str());
  assert_int_equal(back->warnings.size(), 1);
  assert_string_equal(back->warnings[0].pointer.c_str(), made.warnings[0].pointer.c_str());
  assert_string_equal(back->warnings[0].message.c_str(), made.warnings[0].message.c_str());
  assert_false(reaper::decode_filter(text, std::string(64, '0'), made.digest).has_value());
  for (size_t length = 0; length < text.size(); ++length)
    assert_false(reaper::decode_filter(std::string_view(text).substr(0, length), name, made.digest).has_value());
  assert_false(reaper::decode_filter(text + "x", name, made.digest).has_value());
  for (size_t i = 0; i < text.size(); ++i) {
    std::string wrong = text;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    assert_false(reaper::decode_filter(wrong, name, made.digest).has_value());
  }
}

// What passes whatever its arguments are: nothing that hangs on them, or that is not the plain action.
void test_always_allows(void**) {
  const auto allows = [](std::string_view members, uint32_t number) {
    const auto filter = reaper::compile_filter(section(members));
    return reaper::always_allows(filter.value().instructions, number);
  };
  const auto with = [](std::string_view action, std::string_view more) {
    return allow_but(R"({"names":["sendto"],"action":")" + std::string(action) + "\"" + std::string(more) + "}");
  };
  for (const uint32_t number : {__NR_execve, __NR_sendto, __NR_exit_group}) {
    assert_true(allows(with("SCMP_ACT_ALLOW", ""), number));
    const bool other = number != __NR_sendto;
    for (const char* action :
         {"SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP", "SCMP_ACT_LOG"})
      assert_int_equal(allows(with(action, ""), number), other);
    assert_int_equal(allows(with("SCMP_ACT_ERRNO", R"(,"args":[{"index":1,"value":7,"op":"SCMP_CMP_EQ"}])"), number),
                     other);
    // The same the other way round: what is listed passes.
    const std::string listed = R"("defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["execve","exit_group"],)"
                               R"("action":"SCMP_ACT_ALLOW"},{"names":["sendto"],"action":"SCMP_ACT_ALLOW",)"
                               R"("args":[{"index":3,"value":0,"op":"SCMP_CMP_EQ"}]}])";
    assert_int_equal(allows(listed, number), other);
  }
  // Instructions that lead nowhere, or that nobody writes.
  const auto word = [](uint16_t code, uint8_t jt, uint8_t jf, uint32_t k) {
    return std::bit_cast<uint64_t>(sock_filter{code, jt, jf, k});
  };
  constexpr uint32_t call = 42;
  const uint64_t allow = word(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
  const uint64_t deny = word(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | 1);
  const uint64_t number = word(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr));
  assert_true(reaper::always_allows(std::vector{allow}, call));
  assert_false(reaper::always_allows(std::vector<uint64_t>{}, call));
  assert_false(reaper::always_allows(std::vector{number}, call));
  assert_false(reaper::always_allows(std::vector{word(BPF_JMP | BPF_JA, 0, 0, 0xffffffff), allow}, call));
  assert_false(reaper::always_allows(std::vector{word(BPF_LD | BPF_W | BPF_ABS, 0, 0, 8), allow}, call));
  assert_false(reaper::always_allows(std::vector{word(BPF_RET | BPF_A, 0, 0, 0)}, call));
  assert_false(reaper::always_allows(std::vector{word(BPF_ST, 0, 0, 0), allow}, call));
  const struct {
    uint16_t op;
    uint32_t k;
    bool jumps;
  } rows[] = {{BPF_JEQ, 42, true}, {BPF_JEQ, 41, false}, {BPF_JGT, 41, true}, {BPF_JGT, 42, false},
              {BPF_JGE, 42, true}, {BPF_JGE, 43, false}, {BPF_JSET, 2, true}, {BPF_JSET, 4, false}};
  for (const auto& row : rows) {
    const auto jump = word(BPF_JMP | row.op | BPF_K, 1, 0, row.k);
    assert_int_equal(reaper::always_allows(std::vector{number, jump, deny, allow}, call), row.jumps);
  }
  const uint64_t mask = word(BPF_ALU | BPF_AND | BPF_K, 0, 0, 2);
  const uint64_t is_two = word(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 2);
  assert_true(reaper::always_allows(std::vector{number, mask, is_two, allow, deny}, call));
}

void test_cache(void**) {
  reaper::FilterCache cache;
  const auto get = [&](int number) {
    return cache.get(std::make_shared<reaper::Seccomp>(section(number_rule(number))), make_anew);
  };
  const auto first = *get(1);
  assert_true(*get(1) == first);
  for (size_t i = 2; i <= reaper::FilterCache::most; ++i) assert_true(get(int(i)).has_value());
  assert_true(*get(1) == first);      // the last one that was used
  assert_true(get(100).has_value());  // takes the place of 2
  assert_true(*get(1) == first);
  const auto second = *get(2);
  assert_int_equal(answer(*second, __NR_mkdirat), SECCOMP_RET_ERRNO | 2);
  // Whoever holds one keeps it.
  for (int i = 200; i < 220; ++i) assert_true(get(i).has_value());
  assert_int_equal(answer(*first, __NR_mkdirat), SECCOMP_RET_ERRNO | 1);
}

// What is the same object is not looked at: it is not asked what it says now.
void test_cache_by_object(void**) {
  reaper::FilterCache cache;
  const auto seccomp = std::make_shared<reaper::Seccomp>(section(number_rule(1)));
  const auto first = *cache.get(seccomp, make_anew);
  const auto equal = std::make_shared<reaper::Seccomp>(*seccomp);
  assert_true(*cache.get(equal, make_anew) == first);
  seccomp->rules[0].action = SECCOMP_RET_ERRNO | 2;  // it is another's by now
  const auto second = *cache.get(seccomp, make_anew);
  assert_int_equal(answer(*second, __NR_mkdirat), SECCOMP_RET_ERRNO | 2);
  equal->rules[0].action = SECCOMP_RET_ERRNO | 3;
  assert_true(*cache.get(equal, make_anew) == first);
}

// It remembers the object, and does not keep it: a section may be much larger than its filter.
void test_cache_keeps_no_section(void**) {
  reaper::FilterCache cache;
  auto seccomp = std::make_shared<const reaper::Seccomp>(section(number_rule(1)));
  const std::weak_ptr<const reaper::Seccomp> seen = seccomp;
  const auto first = *cache.get(seccomp, make_anew);
  seccomp.reset();
  assert_true(seen.expired());
  assert_true(*cache.get(std::make_shared<const reaper::Seccomp>(section(number_rule(1))), make_anew) == first);
}

void test_cache_in_threads(void**) {
  reaper::FilterCache cache;
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        const int number = 1 + (i * 7 + t) % 12;
        const auto seccomp = std::make_shared<reaper::Seccomp>();
        seccomp->default_action = SECCOMP_RET_ALLOW;
        seccomp->rules = {{{"mkdirat"}, SECCOMP_RET_ERRNO | static_cast<uint32_t>(number), {}}};
        const auto filter = cache.get(seccomp, make_anew);
        wrong += !filter.has_value() || (*filter)->rules != 1;
      }
    });
  for (std::thread& thread : threads) thread.join();
  assert_int_equal(wrong, 0);
}

}  // namespace

int main() {
  if (!reaper::has_seccomp()) {
    printf("SKIP: this build has no libseccomp\n");
    return 0;
  }
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_sha256),
      cmocka_unit_test(test_actions),
      cmocka_unit_test(test_operators),
      cmocka_unit_test(test_conditions),
      cmocka_unit_test(test_every_number),
      cmocka_unit_test(test_architectures),
      cmocka_unit_test(test_every_architecture),
      cmocka_unit_test(test_every_errno),
      cmocka_unit_test(test_too_much),
      cmocka_unit_test(test_digest),
      cmocka_unit_test(test_encoded),
      cmocka_unit_test(test_always_allows),
      cmocka_unit_test(test_cache),
      cmocka_unit_test(test_cache_by_object),
      cmocka_unit_test(test_cache_keeps_no_section),
      cmocka_unit_test(test_cache_in_threads),
      cmocka_unit_test(test_no_room_for_files),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
