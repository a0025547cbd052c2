#include "runtime/exec_defaults.h"

#include <linux/seccomp.h>

#include <charconv>

#include "core/json.h"
#include "plan/wire.h"

namespace reaper {

namespace {

constexpr size_t digits = 16;  // of an instruction, a uint64_t
constexpr size_t digest_digits = 64;
constexpr uint32_t wait_killable_recv = 1U << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19
constexpr uint64_t known_flags =
    SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER | wait_killable_recv;
constexpr std::string_view hexadecimal = "0123456789abcdef";

Error unreadable(const std::string& why) {
  return {REAPER_ERR_CORRUPT, 0, "the record of the container's process cannot be read: " + why, "", "record"};
}

void write_filter(JsonWriter& out, const SeccompFilter& filter) {
  std::string text;
  text.reserve(filter.instructions.size() * digits);
  for (const uint64_t instruction : filter.instructions)
    for (unsigned bits = 64; bits != 0; bits -= 4) text += hexadecimal[instruction >> (bits - 4) & 15U];
  out.key("filter").begin_object();
  out.key("flags").unsigned_integer(filter.flags).key("rules").unsigned_integer(filter.rules);
  out.key("digest").string(filter.digest).key("instructions").string(text);
  out.end_object();
}

// Exactly as it was written: a filter that is cut short or changed is none.
Result<std::vector<uint64_t>> read_instructions(const std::string& text) {
  const bool whole = !text.empty() && text.size() % digits == 0 && text.size() / digits <= wire::max_instructions;
  if (!whole || text.find_first_not_of(hexadecimal) != std::string::npos)
    return fail(unreadable("its filter has no whole instructions"));
  std::vector<uint64_t> instructions(text.size() / digits);
  for (size_t i = 0; i < instructions.size(); ++i)
    (void)std::from_chars(text.data() + i * digits, text.data() + (i + 1) * digits, instructions[i], 16);
  return instructions;
}

Result<JsonCursor> wanted(const JsonCursor& object, std::string_view name) {
  const auto member = TRY(object.member(name));
  if (!member) return fail(unreadable("its filter has no " + std::string(name)));
  return *member;
}

Result<std::shared_ptr<const SeccompFilter>> read_filter(const JsonCursor& object) {
  auto filter = std::make_shared<SeccompFilter>();
  const JsonCursor flags = TRY(wanted(object, "flags"));
  filter->flags = static_cast<uint32_t>(TRY(flags.unsigned_integer(0, UINT32_MAX)));
  if ((filter->flags & ~known_flags) != 0)
    return fail({REAPER_ERR_UNSUPPORTED, 0, "the container's filter has a flag that this version does not load",
                 "/linux/seccomp/flags", "exec"});
  const JsonCursor rules = TRY(wanted(object, "rules"));
  filter->rules = TRY(rules.unsigned_integer(0, UINT32_MAX));
  const JsonCursor digest = TRY(wanted(object, "digest"));
  filter->digest = TRY(digest.string());
  if (filter->digest.size() != digest_digits || filter->digest.find_first_not_of(hexadecimal) != std::string::npos)
    return fail(unreadable("its filter has no digest"));
  const JsonCursor instructions = TRY(wanted(object, "instructions"));
  const std::string text = TRY(instructions.string());
  filter->instructions = TRY(read_instructions(text));
  return filter;
}

void write_memory_policy(JsonWriter& out, const MemoryPolicy& policy) {
  out.key("memoryPolicy").begin_object();
  out.key("mode").unsigned_integer(policy.mode).key("flags").unsigned_integer(policy.flags);
  out.key("nodes").begin_array();
  for (const CpuRange& range : policy.nodes)
    out.begin_array().unsigned_integer(range.first).unsigned_integer(range.last).end_array();
  out.end_array();
  out.end_object();
}

Result<uint32_t> read_number(const JsonCursor& object, std::string_view name) {
  const auto member = TRY(object.member(name));
  if (!member) return fail(unreadable("its memory policy has no " + std::string(name)));
  return static_cast<uint32_t>(TRY(member->unsigned_integer(0, UINT32_MAX)));
}

Result<MemoryPolicy> read_recorded_policy(const JsonCursor& object) {
  MemoryPolicy policy;
  policy.mode = TRY(read_number(object, "mode"));
  policy.flags = TRY(read_number(object, "flags"));
  const auto nodes = TRY(object.member("nodes"));
  if (!nodes) return fail(unreadable("its memory policy has no nodes"));
  for (const JsonCursor& range : TRY(nodes->elements())) {
    const auto ends = TRY(range.elements());
    if (ends.size() != 2) return fail(unreadable("its memory policy has a range without two ends"));
    const auto first = static_cast<uint32_t>(TRY(ends[0].unsigned_integer(0, MemoryPolicy::max_nodes - 1)));
    const auto last = static_cast<uint32_t>(TRY(ends[1].unsigned_integer(first, MemoryPolicy::max_nodes - 1)));
    policy.nodes.push_back({first, last});
  }
  return policy;
}

Result<ExecDefaults> read_defaults(const std::string& text) {
  ExecDefaults defaults;
  const JsonCursor object = TRY(parse_json(text, "exec"));
  if (const auto process = TRY(object.member("process"))) {
    JsonWriter out;
    TRY(copy_json(out, *process));
    defaults.process_json = out.take();
  }
  if (const auto personality = TRY(object.member("personality")))
    defaults.personality = static_cast<uint32_t>(TRY(personality->unsigned_integer(0, UINT32_MAX)));
  if (const auto policy = TRY(object.member("memoryPolicy")))
    defaults.memory_policy = TRY(read_recorded_policy(*policy));
  if (const auto keyring = TRY(object.member("keyring"))) defaults.new_keyring = TRY(keyring->boolean());
  if (const auto seccomp = TRY(object.member("seccomp"))) defaults.has_filter = TRY(seccomp->boolean());
  if (const auto filter = TRY(object.member("filter"))) {
    if (!defaults.has_filter) return fail(unreadable("it has a filter, and has none"));
    defaults.filter = TRY(read_filter(*filter));
  }
  return defaults;
}

}  // namespace

std::string encode_exec_defaults(const ExecDefaults& defaults) {
  JsonWriter out;
  out.begin_object();
  if (!defaults.process_json.empty()) out.key("process").raw(defaults.process_json);
  if (defaults.personality) out.key("personality").unsigned_integer(*defaults.personality);
  if (defaults.memory_policy) write_memory_policy(out, *defaults.memory_policy);
  out.key("keyring").boolean(defaults.new_keyring);
  // Apart: a version that knows of no kept filter refuses, as it always has.
  if (defaults.has_filter) out.key("seccomp").boolean(true);
  if (defaults.filter) write_filter(out, *defaults.filter);
  out.end_object();
  return out.take();
}

Result<ExecDefaults> decode_exec_defaults(const std::string& text) {
  if (text.empty()) return ExecDefaults{};
  auto defaults = read_defaults(text);
  if (defaults.has_value() || defaults.error().code != REAPER_ERR_INVALID) return defaults;
  return fail(unreadable(defaults.error().message));  // a type, a range or the syntax
}

}  // namespace reaper
