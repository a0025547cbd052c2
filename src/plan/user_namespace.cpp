// linux.uidMappings and gidMappings -> a new user namespace (user_namespaces(7)). reaper-init is cloned into it, waits
// for its maps and becomes its root before it makes anything else: what it makes belongs to that namespace.
#include <linux/capability.h>

#include <algorithm>
#include <charconv>

#include "core/json.h"
#include "plan/concerns.h"

namespace reaper::planning {

namespace {

using Mappings = std::vector<IdMapping>;

// One kind of ids, users' or groups'.
struct Kind {
  std::string_view pointer;  // of the mappings
  int capability;
  uint32_t own;  // the caller's
  const std::string& helper;
  std::string_view helper_name;
};

bool maps_own_id_alone(const Mappings& mappings, uint32_t own) {
  return mappings.size() == 1 && mappings[0].size == 1 && mappings[0].host == own;
}

// Who writes the map: "" for the caller itself. Without the capability, the kernel lets it map its own id and no other.
Result<std::string> writer_of(const Mappings& mappings, const Kind& kind, const ProcessFacts& facts) {
  if ((facts.capabilities.effective & capability_bit(kind.capability)) != 0) return std::string();
  if (maps_own_id_alone(mappings, kind.own)) return std::string();
  const std::string name(kind.helper_name);
  if (kind.helper.empty())
    return fail(plan_error(REAPER_ERR_PERMISSION, kind.pointer,
                           "needs " + capability_name(kind.capability) + " or the program " + name +
                               " (package uidmap), which is not installed; without them only the caller's own id, " +
                               std::to_string(kind.own) + ", can be mapped, in one range of size 1"));
  if (facts.no_new_privs)
    return fail(plan_error(REAPER_ERR_PERMISSION, kind.pointer,
                           name + " would gain no rights: this process runs with no_new_privs"));
  return kind.helper;
}

Status check_mappings(const Mappings& mappings, std::string_view pointer) {
  if (mappings.empty())
    return fail(plan_error(REAPER_ERR_INVALID, pointer, "a new user namespace needs at least one range"));
  if (!mapped_id(mappings, 0).has_value())
    return fail(plan_error(REAPER_ERR_UNSUPPORTED, pointer,
                           "this version sets a container up as its root: id 0 of the container must be in a range"));
  return {};
}

Status want_mapped(uint64_t id, const Mappings& mappings, const std::string& pointer, std::string_view where,
                   Notes& notes) {
  if (id <= UINT32_MAX && mapped_id(mappings, static_cast<uint32_t>(id)).has_value()) return {};
  return notes.refusals.refuse(
      plan_error(REAPER_ERR_INVALID, pointer, std::to_string(id) + " is in no range of /linux/" + std::string(where)));
}

// "gid=5" among a file system's own options, which the kernel would answer with a bare EINVAL.
Status check_option(const std::string& option, const Config& config, const std::string& pointer, Notes& notes) {
  const bool is_uid = option.starts_with("uid=");
  if (!is_uid && !option.starts_with("gid=")) return {};
  uint64_t id = 0;
  const char* const end = option.data() + option.size();
  if (std::from_chars(option.data() + 4, end, id).ptr != end) return {};
  return is_uid ? want_mapped(id, config.uid_mappings, pointer, "uidMappings", notes)
                : want_mapped(id, config.gid_mappings, pointer, "gidMappings", notes);
}

Status check_user(const User& user, const Mappings& uids, const Mappings& gids, Notes& notes) {
  TRY(want_mapped(user.uid, uids, "/process/user/uid", "uidMappings", notes));
  TRY(want_mapped(user.gid, gids, "/process/user/gid", "gidMappings", notes));
  const std::vector<uint32_t> groups = user.additional_gids.value_or(std::vector<uint32_t>{});
  for (size_t i = 0; i < groups.size(); ++i)
    TRY(want_mapped(groups[i], gids, pointer_join("/process/user/additionalGids", i), "gidMappings", notes));
  return {};
}

// Every id of the configuration is one of the container's (config.md, User).
Status check_ids(const Config& config, Notes& notes) {
  const Mappings& uids = config.uid_mappings;
  const Mappings& gids = config.gid_mappings;
  if (config.process.has_value() && config.process->user.has_value())
    TRY(check_user(*config.process->user, uids, gids, notes));
  for (size_t i = 0; i < config.devices.size(); ++i) {
    const std::string pointer = pointer_join("/linux/devices", i);
    TRY(want_mapped(config.devices[i].uid, uids, pointer + "/uid", "uidMappings", notes));
    TRY(want_mapped(config.devices[i].gid, gids, pointer + "/gid", "gidMappings", notes));
  }
  for (size_t i = 0; i < config.mounts.size(); ++i)
    for (const std::string& option : config.mounts[i].data)
      TRY(check_option(option, config, pointer_join("/mounts", i) + "/options", notes));
  return {};
}

// The groups of the caller, as they are seen inside: the kernel keeps them sorted by what they are outside.
std::vector<uint32_t> groups_inside(const ProcessFacts& facts, const Mappings& mappings) {
  std::vector<uint32_t> inside;
  for (const uint32_t group : facts.groups) {
    const auto found = std::ranges::find_if(
        mappings, [&](const IdMapping& one) { return group >= one.host && group - one.host < one.size; });
    inside.push_back(found == mappings.end() ? facts.id_maps.overflow_gid : group - found->host + found->container);
  }
  return inside;
}

// What reaper-init is when it has become root there: create_user_ns() gives it everything, and nothing else is kept.
ProcessFacts facts_inside(const Mappings& gids, const ProcessFacts& facts, bool setgroups_denied) {
  ProcessFacts inside = facts;
  inside.real_uid = inside.effective_uid = inside.saved_uid = 0;
  inside.real_gid = inside.effective_gid = inside.saved_gid = 0;
  inside.groups.clear();
  if (setgroups_denied) inside.groups = groups_inside(facts, gids);
  const uint64_t all = all_capabilities(facts.last_capability);
  inside.capabilities = {all, all, 0, 0, all};
  inside.securebits = 0;
  inside.setgroups_denied = setgroups_denied;
  return inside;
}

Mappings mappings_of(const std::vector<IdRange>& ranges) {
  Mappings mappings;
  mappings.reserve(ranges.size());
  for (const IdRange& range : ranges) mappings.push_back({range.inside, range.outside, range.size});
  return mappings;
}

}  // namespace

std::string map_text(const Mappings& mappings, std::string_view between) {
  std::string text;
  for (const IdMapping& one : mappings) {
    if (!text.empty()) text += between;
    text += std::to_string(one.container) + ' ' + std::to_string(one.host) + ' ' + std::to_string(one.size);
  }
  return text;
}

uint64_t all_capabilities(int last) {
  return last >= 63 ? ~uint64_t{0} : (uint64_t{1} << (last + 1)) - 1;
}

std::optional<uint32_t> mapped_id(const std::vector<IdMapping>& mappings, uint32_t id) {
  for (const IdMapping& one : mappings)
    if (id >= one.container && id - one.container < one.size) return id - one.container + one.host;
  return std::nullopt;
}

Result<UserNamespace> plan_user_namespace(const Config& config, const ProcessFacts& facts, Notes& notes) {
  UserNamespace own;
  own.inside = facts;
  const auto found = std::ranges::find(config.namespaces, "user", &Namespace::type);
  const bool fresh = found != config.namespaces.end() && found->path.empty();
  const Kind kinds[] = {{"/linux/uidMappings", CAP_SETUID, facts.effective_uid, facts.id_maps.uid_helper, "newuidmap"},
                        {"/linux/gidMappings", CAP_SETGID, facts.effective_gid, facts.id_maps.gid_helper, "newgidmap"}};
  const Mappings* const mappings[] = {&config.uid_mappings, &config.gid_mappings};
  std::string* const writers[] = {&own.maps.uid_helper, &own.maps.gid_helper};
  for (int i = 0; i < 2; ++i) {
    const std::string pointer(kinds[i].pointer);
    if (!fresh && !mappings[i]->empty())
      TRY(notes.refusals.refuse(
          plan_error(REAPER_ERR_INVALID, pointer, "needs a new user namespace in /linux/namespaces")));
    if (!fresh) continue;
    Status checked = check_mappings(*mappings[i], pointer);
    if (checked.has_value())
      KEEP(notes.refusals, *writers[i], writer_of(*mappings[i], kinds[i], facts));
    else
      TRY(notes.refusals.take(std::move(checked)));
  }
  if (!fresh) return own;
  TRY(check_ids(config, notes));
  UserNamespaceMaps& maps = own.maps;
  maps.fresh = true;
  maps.uid_map = map_text(config.uid_mappings, "\n");
  maps.gid_map = map_text(config.gid_mappings, "\n");
  // The condition under which the kernel lets an ordinary user map its own group: it could drop groups that deny it
  // something otherwise (CVE-2014-8989).
  maps.deny_setgroups = maps.gid_helper.empty() && (facts.capabilities.effective & capability_bit(CAP_SETGID)) == 0;
  own.inside = facts_inside(config.gid_mappings, facts, maps.deny_setgroups);
  Operation enter{wire::Op::user_namespace,
                  "/linux/uidMappings",
                  {own.inside.capabilities.permitted, maps.deny_setgroups ? 0U : 1U},
                  {map_text(config.uid_mappings, ", "), map_text(config.gid_mappings, ", ")}};
  for (const std::string* helper : writers)
    if (!helper->empty()) enter.strings.push_back(*helper);
  own.enter = std::move(enter);
  return own;
}

Result<EnteredUserNamespace> plan_entry(const Process& process, const UserNamespaceFacts& user,
                                        const ProcessFacts& facts, Notes& notes) {
  EnteredUserNamespace entered;
  const Mappings uids = mappings_of(user.uids);
  entered.gids = mappings_of(user.gids);
  TRY(check_mappings(uids, "/linux/uidMappings"));
  TRY(check_mappings(entered.gids, "/linux/gidMappings"));
  if (process.user.has_value()) TRY(check_user(*process.user, uids, entered.gids, notes));
  entered.inside = facts_inside(entered.gids, facts, user.setgroups_denied);
  entered.become_root = {wire::Op::become_root,
                         "/linux/uidMappings",
                         {entered.inside.capabilities.permitted, user.setgroups_denied ? 0U : 1U},
                         {}};
  return entered;
}

}  // namespace reaper::planning
