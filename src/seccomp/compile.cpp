// linux.seccomp by libseccomp: architectures, rules, and the instructions that it makes of them.
#include "seccomp/seccomp.h"

#ifdef REAPER_SECCOMP_LIBRARY

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "core/fd.h"
#include "core/file_size.h"
#include "core/json.h"
#include "seccomp/library.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U  // Linux 6.3
#endif

namespace reaper {

bool has_seccomp() {
  return true;
}

// The little-endian ones.
std::vector<std::string_view> seccomp_architectures() {
  return {"SCMP_ARCH_X86",    "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",         "SCMP_ARCH_ARM",     "SCMP_ARCH_AARCH64",
          "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64"};
}

namespace {

constexpr std::string_view section = "/linux/seccomp";
// Each rule is one instruction at least, of which a filter may have BPF_MAXINSNS; and libseccomp takes time for each.
constexpr size_t max_rules = BPF_MAXINSNS;
constexpr size_t max_warnings = 100;  // they are kept with the container

static_assert(static_cast<int>(SeccompOperator::ne) == SCMP_CMP_NE &&
              static_cast<int>(SeccompOperator::lt) == SCMP_CMP_LT &&
              static_cast<int>(SeccompOperator::le) == SCMP_CMP_LE &&
              static_cast<int>(SeccompOperator::eq) == SCMP_CMP_EQ &&
              static_cast<int>(SeccompOperator::ge) == SCMP_CMP_GE &&
              static_cast<int>(SeccompOperator::gt) == SCMP_CMP_GT &&
              static_cast<int>(SeccompOperator::masked_eq) == SCMP_CMP_MASKED_EQ);
static_assert(SECCOMP_RET_KILL_PROCESS == SCMP_ACT_KILL_PROCESS && SECCOMP_RET_KILL_THREAD == SCMP_ACT_KILL_THREAD &&
              SECCOMP_RET_TRAP == SCMP_ACT_TRAP && (SECCOMP_RET_ERRNO | 7U) == SCMP_ACT_ERRNO(7) &&
              (SECCOMP_RET_TRACE | 7U) == SCMP_ACT_TRACE(7) && SECCOMP_RET_LOG == SCMP_ACT_LOG &&
              SECCOMP_RET_ALLOW == SCMP_ACT_ALLOW && SECCOMP_RET_USER_NOTIF == SCMP_ACT_NOTIFY);
static_assert(sizeof(sock_filter) == sizeof(uint64_t));

// A filter in the making.
class Context {
 public:
  Context(const SeccompLibrary& library, uint32_t default_action)
      : library_(library), context_(library.init(default_action)) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() {
    if (context_ != nullptr) library_.release(context_);
  }
  scmp_filter_ctx get() const { return context_; }

 private:
  const SeccompLibrary& library_;
  scmp_filter_ctx context_;
};

// libseccomp's answers are negative errnos.
Error library_error(std::string_view pointer, std::string_view call, int result) {
  Error error = system_error("seccomp", std::string(pointer) + ": " + std::string(call), -result);
  if (error.code == REAPER_ERR_PERMISSION) error.code = REAPER_ERR_SYSTEM;  // it means something else by these
  error.pointer = pointer;
  return error;
}

// "SCMP_ARCH_X86_64" -> "x86_64", as libseccomp names them.
std::string short_name(std::string_view architecture) {
  std::string name(architecture.substr(std::string_view("SCMP_ARCH_").size()));
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return name;
}

// Beside this machine's own, which every filter has: reaper-init and its calls belong to it.
Status add_architectures(const SeccompLibrary& library, scmp_filter_ctx context, const Seccomp& seccomp) {
  const std::string list = std::string(section) + "/architectures";
  for (size_t i = 0; i < seccomp.architectures.size(); ++i) {
    const uint32_t token = library.arch_resolve_name(short_name(seccomp.architectures[i]).c_str());
    if (token == 0)
      return fail(config_error(REAPER_ERR_UNSUPPORTED, pointer_join(list, i), "this libseccomp does not know it"));
    const int result = library.arch_add(context, token);
    if (result == -EDOM)
      return fail(config_error(REAPER_ERR_UNSUPPORTED, pointer_join(list, i), "its byte order is not this machine's"));
    if (result < 0 && result != -EEXIST) return fail(library_error(pointer_join(list, i), "seccomp_arch_add", result));
  }
  return {};
}

// Conditions of one rule hold together; but where two of them are on the same argument, each is a rule of its own, as
// runc and crun have it: configurations are written with that in mind, and no value would satisfy most of those
// together.
bool are_alternatives(const std::vector<SeccompCondition>& conditions) {
  unsigned seen = 0;
  for (const SeccompCondition& condition : conditions) {
    if ((seen >> condition.index & 1) != 0) return true;
    seen |= 1U << condition.index;
  }
  return false;
}

struct Comparison {
  scmp_arg_cmp list[6];  // an argument each
  unsigned count = 0;
};

scmp_arg_cmp comparison_of(const SeccompCondition& condition) {
  return {condition.index, static_cast<scmp_compare>(condition.op), condition.value, condition.value_two};
}

std::vector<Comparison> comparisons_of(const std::vector<SeccompCondition>& conditions) {
  std::vector<Comparison> all;
  const bool alternatives = are_alternatives(conditions);
  for (const SeccompCondition& condition : conditions) {
    if (alternatives || all.empty()) all.emplace_back();
    all.back().list[all.back().count++] = comparison_of(condition);
  }
  if (all.empty()) all.emplace_back();  // whatever the arguments are
  return all;
}

void warn_of_unknown(SeccompFilter& filter, const std::string& pointer, const std::string& name, size_t& unknown) {
  if (++unknown <= max_warnings)
    filter.warnings.push_back({pointer, "libseccomp knows no system call \"" + printable(name, 64) + "\": left out"});
}

Status add_rules(const SeccompLibrary& library, scmp_filter_ctx context, const Seccomp& seccomp,
                 SeccompFilter& filter) {
  size_t unknown = 0;
  for (size_t i = 0; i < seccomp.rules.size(); ++i) {
    const SeccompRule& rule = seccomp.rules[i];
    const std::string names = pointer_join(std::string(section) + "/syscalls", i) + "/names";
    const std::vector<Comparison> comparisons = comparisons_of(rule.conditions);
    for (size_t j = 0; j < rule.names.size(); ++j) {
      const int number = library.syscall_resolve_name(rule.names[j].c_str());
      if (number == __NR_SCMP_ERROR) warn_of_unknown(filter, pointer_join(names, j), rule.names[j], unknown);
      // What happens anyway needs no rule, and libseccomp takes none.
      if (number == __NR_SCMP_ERROR || rule.action == seccomp.default_action) continue;
      for (const Comparison& comparison : comparisons) {
        if (++filter.rules > max_rules)
          return fail(config_error(REAPER_ERR_INVALID, std::string(section) + "/syscalls",
                                   "more than " + std::to_string(max_rules) + " rules"));
        const int result = library.rule_add_array(context, rule.action, number, comparison.count, comparison.list);
        // EEXIST: an earlier rule has said so already.
        if (result < 0 && result != -EEXIST)
          return fail(library_error(pointer_join(names, j), "seccomp_rule_add_array", result));
      }
    }
  }
  if (unknown > max_warnings)
    filter.warnings.push_back({std::string(section), std::to_string(unknown - max_warnings) +
                                                         " more names of unknown system calls are left out"});
  return {};
}

Fd memory_file() {
  const char* const name = "reaper-seccomp";
  Fd file(memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL));
  if (!file && errno == EINVAL) file = Fd(memfd_create(name, MFD_CLOEXEC));
  return file;
}

// libseccomp writes the instructions to a descriptor (seccomp_export_bpf(3)).
Result<std::vector<uint64_t>> exported(const SeccompLibrary& library, scmp_filter_ctx context) {
  const Fd file = memory_file();
  if (!file) return fail(system_error("seccomp", "memfd_create"));
  // A limit that leaves room for a part makes the write end there.
  if (!fits_file_size_limit(1)) return fail(system_error("seccomp", "write to a memfd (RLIMIT_FSIZE)", EFBIG));
  if (const int result = library.export_bpf(context, file.get()); result < 0)
    return fail(library_error(section, "seccomp_export_bpf", result));
  const off_t size = lseek(file.get(), 0, SEEK_END);
  if (size < 0) return fail(system_error("seccomp", "lseek"));
  const size_t count = static_cast<size_t>(size) / sizeof(sock_filter);
  if (count > BPF_MAXINSNS)
    return fail(config_error(REAPER_ERR_INVALID, std::string(section) + "/syscalls",
                             "the filter has " + std::to_string(count) + " instructions, and the kernel takes " +
                                 std::to_string(BPF_MAXINSNS) + " at most"));
  std::vector<uint64_t> instructions(count);
  ssize_t got;
  do got = pread(file.get(), instructions.data(), count * sizeof(sock_filter), 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) return fail(system_error("seccomp", "pread"));
  if (static_cast<size_t>(got) != static_cast<size_t>(size) || count == 0 || size % sizeof(sock_filter) != 0)
    return fail({REAPER_ERR_INTERNAL, 0, "libseccomp wrote half a filter", std::string(section), "seccomp"});
  return instructions;
}

// Twice: where an allocation fails within it, libseccomp 2.5.4 reports a success and leaves instructions out.
Status export_instructions(const SeccompLibrary& library, scmp_filter_ctx context, SeccompFilter& filter) {
  filter.instructions = TRY(exported(library, context));
  const std::vector<uint64_t> again = TRY(exported(library, context));
  if (again == filter.instructions) return {};
  return fail({REAPER_ERR_NO_MEMORY, ENOMEM, std::string(section) + ": libseccomp had no memory for the whole filter",
               std::string(section), "seccomp"});
}

// One thread asks for no TSYNC, and the kernel takes WAIT_KILLABLE_RECV only with a listener.
uint32_t kernel_flags(const Seccomp& seccomp) {
  constexpr uint32_t passed = SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  if (!seccomp.notifies()) return seccomp.flags & passed;
  return (seccomp.flags & (passed | Seccomp::flag_wait_killable_recv)) | SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

}  // namespace

Result<SeccompFilter> compile_filter(const Seccomp& seccomp) {
  const SeccompLibrary& library = *TRY(seccomp_library());
  const Context context(library, seccomp.default_action);
  if (context.get() == nullptr)
    return fail(
        {REAPER_ERR_NO_MEMORY, ENOMEM, std::string(section) + ": seccomp_init", std::string(section), "seccomp"});
  // A tree of system calls instead of a list: a filter of 300 is asked at every call. From 2.5 on; without it, a list.
  constexpr uint32_t tree = 2;
  (void)library.attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, tree);
  // The errnos of its system calls, instead of ECANCELED for all of them.
  (void)library.attr_set(context.get(), SCMP_FLTATR_API_SYSRAWRC, 1);
  SeccompFilter filter;
  filter.digest = seccomp_digest(seccomp);
  filter.flags = kernel_flags(seccomp);
  TRY(add_architectures(library, context.get(), seccomp));
  TRY(add_rules(library, context.get(), seccomp, filter));
  TRY(export_instructions(library, context.get(), filter));
  return filter;
}

}  // namespace reaper

#else

namespace reaper {

bool has_seccomp() {
  return false;
}

std::vector<std::string_view> seccomp_architectures() {
  return {};
}

Result<SeccompFilter> compile_filter(const Seccomp&) {
  return fail(config_error(REAPER_ERR_UNSUPPORTED, "/linux/seccomp", "this build of Reaper has no libseccomp"));
}

}  // namespace reaper

#endif
