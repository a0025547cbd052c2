// Reads identity and capabilities back and compares them bit for bit with the plan. Any difference refuses to execute.
#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>

#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

Outcome compare(const char* what, uint64_t wanted, uint64_t found) {
  return wanted == found ? Outcome{} : Outcome{wire::Fault::mismatch, 0, wanted, found, what};
}

Outcome verify_ids(const Operation& operation) {
  uint32_t ids[3] = {};
  if (const long result = call(__NR_getresuid, &ids[0], &ids[1], &ids[2]); result < 0)
    return failed_call(result, "getresuid");
  for (const uint32_t id : ids)
    if (const Outcome outcome = compare("uid", operation.number(0), id); !outcome.ok()) return outcome;
  if (const long result = call(__NR_getresgid, &ids[0], &ids[1], &ids[2]); result < 0)
    return failed_call(result, "getresgid");
  for (const uint32_t id : ids)
    if (const Outcome outcome = compare("gid", operation.number(1), id); !outcome.ok()) return outcome;
  return {};
}

bool is_among(uint64_t wanted, const uint32_t* groups, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i)
    if (groups[i] == wanted) return true;
  return false;
}

// The kernel keeps the groups sorted by what they are outside of a user namespace (set_groups). So does the plan, where
// it knows that; it names each once.
Outcome verify_groups(const Operation& operation) {
  const uint32_t wanted = operation.number_count() - wire::verify_fixed_numbers;
  const long count = call(__NR_getgroups, 0, nullptr);
  if (count < 0) return failed_call(count, "getgroups");
  if (const Outcome outcome = compare("number of groups", wanted, static_cast<uint64_t>(count)); !outcome.ok())
    return outcome;
  uint32_t few[32] = {};
  uint32_t* groups = few;
  if (wanted > sizeof few / sizeof *few) groups = static_cast<uint32_t*>(map_memory(wanted * sizeof *groups));
  if (groups == nullptr) return failed_call(-ENOMEM, "mmap");
  if (const long got = call(__NR_getgroups, wanted, groups); got != count) return failed_call(got, "getgroups");
  for (uint32_t i = 0; i < wanted; ++i) {
    const uint64_t group = operation.number(wire::verify_fixed_numbers + i);
    if (groups[i] != group && !is_among(group, groups, wanted)) return compare("groups", group, groups[i]);
  }
  return {};
}

Outcome verify_capabilities(const Operation& operation) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (const long result = call(__NR_capget, &header, data); result < 0) return failed_call(result, "capget");
  const auto whole = [](uint32_t low, uint32_t high) { return uint64_t{high} << 32 | low; };
  if (const Outcome outcome = compare("permitted", operation.number(2), whole(data[0].permitted, data[1].permitted));
      !outcome.ok())
    return outcome;
  if (const Outcome outcome = compare("effective", operation.number(3), whole(data[0].effective, data[1].effective));
      !outcome.ok())
    return outcome;
  if (const Outcome outcome =
          compare("inheritable", operation.number(4), whole(data[0].inheritable, data[1].inheritable));
      !outcome.ok())
    return outcome;
  // The kernel keeps ambient inside permitted & inheritable (capabilities(7)), which were just compared.
  const uint64_t possible = operation.number(2) & operation.number(4);
  uint64_t ambient = 0;
  uint64_t bounding = 0;
  for (uint64_t number = 0; number <= operation.number(7) && number < 64; ++number) {
    const bool asked = (possible >> number & 1) != 0;
    const long in_ambient = asked ? call(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number, 0, 0) : 0;
    const long in_bounding = call(__NR_prctl, PR_CAPBSET_READ, number, 0, 0, 0);
    if (in_ambient < 0 || in_bounding < 0) return failed_call(in_ambient < 0 ? in_ambient : in_bounding, "prctl");
    ambient |= static_cast<uint64_t>(in_ambient) << number;
    bounding |= static_cast<uint64_t>(in_bounding) << number;
  }
  if (const Outcome outcome = compare("ambient", operation.number(5), ambient); !outcome.ok()) return outcome;
  return compare("bounding", operation.number(6), bounding);
}

Outcome verify_flags(const Operation& operation) {
  const long no_new_privs = call(__NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  if (no_new_privs < 0) return failed_call(no_new_privs, "prctl");
  if (const Outcome outcome = compare("no_new_privs", operation.number(8), static_cast<uint64_t>(no_new_privs));
      !outcome.ok())
    return outcome;
  const long securebits = call(__NR_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
  if (securebits < 0) return failed_call(securebits, "prctl");
  return compare("securebits", operation.number(9), static_cast<uint64_t>(securebits));
}

// What was given up must not come back: these calls have to fail.
Outcome verify_no_regain(const Operation& operation) {
  const uint64_t flags = operation.number(10);
  if ((flags & wire::verify_no_regain_uid) != 0 && call(__NR_setresuid, 0, 0, 0) == 0)
    return {wire::Fault::regained, 0, 0, 0, "setresuid"};
  if ((flags & wire::verify_no_regain_gid) != 0 && call(__NR_setresgid, 0, 0, 0) == 0)
    return {wire::Fault::regained, 0, 0, 0, "setresgid"};
  if ((flags & wire::verify_no_regain_groups) != 0 && call(__NR_setgroups, 0, nullptr) == 0)
    return {wire::Fault::regained, 0, 0, 0, "setgroups"};
  return {};
}

}  // namespace

Outcome verify(const Operation& operation) {
  using Step = Outcome (*)(const Operation&);
  constexpr Step steps[] = {verify_ids, verify_groups, verify_capabilities, verify_flags, verify_no_regain};
  for (const Step step : steps)
    if (const Outcome outcome = step(operation); !outcome.ok()) return outcome;
  return {};
}

}  // namespace reaper::init
