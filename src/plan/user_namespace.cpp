// linux.uidMappings and gidMappings -> a new user namespace, or one that is joined (user_namespaces(7)). reaper-init is
// cloned into a new one, waits for its maps and becomes its root before it makes anything else: what it makes belongs
// to that namespace.
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

// An id of the configuration, which is one of the container's (config.md, User).
struct AskedId {
  std::string pointer;
  bool is_group;
  uint64_t id;
};

// "gid=5" among a file system's own options, which the kernel would answer with a bare EINVAL.
void add_option(const std::string& option, const std::string& pointer, std::vector<AskedId>& asked) {
  const bool is_uid = option.starts_with("uid=");
  if (!is_uid && !option.starts_with("gid=")) return;
  uint64_t id = 0;
  const char* const end = option.data() + option.size();
  if (std::from_chars(option.data() + 4, end, id).ptr == end) asked.push_back({pointer, !is_uid, id});
}

void add_user(const User& user, std::vector<AskedId>& asked) {
  asked.push_back({"/process/user/uid", false, user.uid});
  asked.push_back({"/process/user/gid", true, user.gid});
  const std::vector<uint32_t> groups = user.additional_gids.value_or(std::vector<uint32_t>{});
  for (size_t i = 0; i < groups.size(); ++i)
    asked.push_back({pointer_join("/process/user/additionalGids", i), true, groups[i]});
}

std::vector<AskedId> asked_ids(const Config& config) {
  std::vector<AskedId> asked;
  if (config.process.has_value() && config.process->user.has_value()) add_user(*config.process->user, asked);
  for (size_t i = 0; i < config.devices.size(); ++i) {
    const std::string pointer = pointer_join("/linux/devices", i);
    asked.push_back({pointer + "/uid", false, config.devices[i].uid});
    asked.push_back({pointer + "/gid", true, config.devices[i].gid});
  }
  for (size_t i = 0; i < config.mounts.size(); ++i)
    for (const std::string& option : config.mounts[i].data)
      add_option(option, pointer_join("/mounts", i) + "/options", asked);
  return asked;
}

const Mappings& mappings_of(const Config& config, bool is_group) {
  return is_group ? config.gid_mappings : config.uid_mappings;
}

Status check_ids(const Mappings& uids, const Mappings& gids, const std::vector<AskedId>& all, Notes& notes) {
  for (const AskedId& asked : all) {
    const Mappings& mappings = asked.is_group ? gids : uids;
    if (mappings.empty()) continue;
    if (asked.id <= UINT32_MAX && mapped_id(mappings, static_cast<uint32_t>(asked.id)).has_value()) continue;
    TRY(notes.refusals.refuse(plan_error(REAPER_ERR_INVALID, asked.pointer,
                                         std::to_string(asked.id) + " is in no range of /linux/" +
                                             std::string(asked.is_group ? "gidMappings" : "uidMappings"))));
  }
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

// With another one that is joined, the map is seen when reaper-init is in it: it is compared with what the
// configuration says of it, and without that every id is looked for.
std::vector<Operation> plan_joined(const Config& config, const std::vector<AskedId>& all, const std::string& pointer,
                                   uint64_t capabilities) {
  std::vector<Operation> operations;
  for (const bool is_group : {false, true}) {
    const Mappings& mappings = mappings_of(config, is_group);
    const uint64_t kind = is_group ? 1 : 0;
    if (mappings.empty()) {
      operations.push_back({wire::Op::mapped, pointer, {kind, 0}, {}});
      continue;
    }
    Operation same{
        wire::Op::id_map, is_group ? "/linux/gidMappings" : "/linux/uidMappings", {kind}, {map_text(mappings, ", ")}};
    for (const IdMapping& one : mappings)
      same.numbers.insert(same.numbers.end(), {uint64_t{one.container}, uint64_t{one.host}, uint64_t{one.size}});
    operations.push_back(std::move(same));
  }
  for (const AskedId& asked : all)
    if (asked.id != 0 && mappings_of(config, asked.is_group).empty())
      operations.push_back({wire::Op::mapped, asked.pointer, {asked.is_group ? uint64_t{1} : 0, asked.id}, {}});
  operations.push_back({wire::Op::become_root, pointer, {capabilities, 1}, {}});
  if (maps_own_user(config)) operations.push_back({wire::Op::show_user, pointer, {}, {}});
  return operations;
}

// The pointer of a path that leads to another user namespace than the caller's; "" where there is none.
Result<std::string> joined_pointer(const Config& config) {
  for (size_t i = 0; i < config.namespaces.size(); ++i) {
    const Namespace& one = config.namespaces[i];
    if (one.type != "user" || one.path.empty()) continue;
    const std::string pointer = pointer_join("/linux/namespaces", i) + "/path";
    const Result<bool> own = same_namespace("user", one.path);
    if (!own.has_value()) return fail(refuse_path(own.error(), pointer));
    return *own ? std::string() : pointer;
  }
  return std::string();
}

// Ranges belong to a user namespace that is new, or joined; who writes them, to a new one alone.
Status plan_mappings(const Config& config, const ProcessFacts& facts, bool fresh, bool joined, UserNamespace& own,
                     Notes& notes) {
  const Kind kinds[] = {{"/linux/uidMappings", CAP_SETUID, facts.effective_uid, facts.id_maps.uid_helper, "newuidmap"},
                        {"/linux/gidMappings", CAP_SETGID, facts.effective_gid, facts.id_maps.gid_helper, "newgidmap"}};
  const Mappings* const mappings[] = {&config.uid_mappings, &config.gid_mappings};
  std::string* const writers[] = {&own.maps.uid_helper, &own.maps.gid_helper};
  for (int i = 0; i < 2; ++i) {
    const std::string pointer(kinds[i].pointer);
    if (!fresh && mappings[i]->empty()) continue;
    if (!fresh && !joined) {
      TRY(notes.refusals.refuse(
          plan_error(REAPER_ERR_INVALID, pointer, "needs a new user namespace in /linux/namespaces")));
      continue;
    }
    Status checked = check_mappings(*mappings[i], pointer);
    if (!checked.has_value())
      TRY(notes.refusals.take(std::move(checked)));
    else if (fresh)
      KEEP(notes.refusals, *writers[i], writer_of(*mappings[i], kinds[i], facts));
  }
  return {};
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

// What reaper-init is then: create_user_ns() gives it everything, and nothing else is kept.
ProcessFacts root_inside(const ProcessFacts& facts, const std::vector<IdMapping>& gids, bool setgroups_denied) {
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

Result<UserNamespace> plan_user_namespace(const Config& config, const ProcessFacts& facts, Notes& notes) {
  UserNamespace own;
  own.inside = facts;
  const auto found = std::ranges::find(config.namespaces, "user", &Namespace::type);
  const bool fresh = found != config.namespaces.end() && found->path.empty();
  const std::string joined = TRY(joined_pointer(config));
  TRY(plan_mappings(config, facts, fresh, !joined.empty(), own, notes));
  if (!fresh && joined.empty()) return own;
  const std::vector<AskedId> asked = asked_ids(config);
  TRY(check_ids(config.uid_mappings, config.gid_mappings, asked, notes));
  if (!fresh) {
    own.joined = true;
    own.inside = root_inside(facts, config.gid_mappings, false);
    own.enter = plan_joined(config, asked, joined, own.inside.capabilities.permitted);
    return own;
  }
  UserNamespaceMaps& maps = own.maps;
  maps.fresh = true;
  maps.uid_map = map_text(config.uid_mappings, "\n");
  maps.gid_map = map_text(config.gid_mappings, "\n");
  // The condition under which the kernel lets an ordinary user map its own group: it could drop groups that deny it
  // something otherwise (CVE-2014-8989). And what is denied to the caller is denied below (user_namespaces(7)).
  maps.deny_setgroups = facts.setgroups_denied ||
                        (maps.gid_helper.empty() && (facts.capabilities.effective & capability_bit(CAP_SETGID)) == 0);
  own.inside = root_inside(facts, config.gid_mappings, maps.deny_setgroups);
  Operation enter{wire::Op::user_namespace,
                  "/linux/uidMappings",
                  {own.inside.capabilities.permitted, maps.deny_setgroups ? 0U : 1U},
                  {map_text(config.uid_mappings, ", "), map_text(config.gid_mappings, ", ")}};
  for (const std::string& helper : {maps.uid_helper, maps.gid_helper})
    if (!helper.empty()) enter.strings.push_back(helper);
  own.enter.push_back(std::move(enter));
  return own;
}

Result<EnteredUserNamespace> plan_entry(const Process& process, const UserNamespaceFacts& user,
                                        const ProcessFacts& facts, Notes& notes) {
  EnteredUserNamespace entered;
  const Mappings uids = mappings_of(user.uids);
  entered.gids = mappings_of(user.gids);
  TRY(check_mappings(uids, "/linux/uidMappings"));
  TRY(check_mappings(entered.gids, "/linux/gidMappings"));
  std::vector<AskedId> asked;
  if (process.user.has_value()) add_user(*process.user, asked);
  TRY(check_ids(uids, entered.gids, asked, notes));
  entered.inside = root_inside(facts, entered.gids, user.setgroups_denied);
  entered.become_root = {wire::Op::become_root,
                         "/linux/uidMappings",
                         {entered.inside.capabilities.permitted, user.setgroups_denied ? 0U : 1U},
                         {}};
  return entered;
}

}  // namespace reaper::planning
