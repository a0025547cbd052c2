// What execve(2) makes of capabilities: once for reaper-init itself, once for the program. The rules are those of
// capabilities(7) and of cap_bprm_creds_from_file() (security/commoncap.c, Linux 5.10 to 6.18), for a file that has
// neither capabilities nor set-id bits.
#include <linux/securebits.h>

#include "plan/concerns.h"

namespace reaper::planning {

CapabilitySets after_execve(const CapabilitySets& sets, const ExecIdentity& identity) {
  CapabilitySets after = sets;
  uint64_t permitted = 0;
  bool effective_too = false;
  const bool root_is_special = (identity.securebits & SECBIT_NOROOT) == 0;
  if (root_is_special && (identity.real_uid == 0 || identity.effective_uid == 0)) {
    permitted = sets.bounding | sets.inheritable;
    effective_too = identity.effective_uid == 0;  // with only the real uid 0, permitted is gained and effective is not
  }
  // no_new_privs: nothing that was not permitted before.
  if (identity.no_new_privs) permitted &= sets.permitted;
  // Before Linux 6.16, a process whose ids are mixed counts as one that executes a set-id file, which clears ambient.
  // Later kernels keep it; init gives up the difference with its first capset(2).
  if (identity.mixed) after.ambient = 0;
  after.permitted = permitted | after.ambient;
  after.effective = effective_too ? after.permitted : after.ambient;
  return after;
}

InitState state_of_init(const ProcessFacts& facts) {
  InitState init;
  init.real_uid = facts.real_uid;
  init.effective_uid = facts.effective_uid;
  init.real_gid = facts.real_gid;
  init.effective_gid = facts.effective_gid;
  CapabilitySets raised = facts.capabilities;
  const CarriedCapabilities carried = carried_capabilities(facts);
  raised.inheritable = carried.inheritable;
  raised.ambient = carried.ambient;
  ExecIdentity identity;
  identity.real_uid = facts.real_uid;
  identity.effective_uid = facts.effective_uid;
  identity.mixed = facts.real_uid != facts.effective_uid || facts.real_gid != facts.effective_gid;
  identity.no_new_privs = facts.no_new_privs;
  identity.securebits = facts.securebits;
  init.capabilities = after_execve(raised, identity);
  return init;
}

}  // namespace reaper::planning
