// A compiled filter as bytes: what a later run of a program takes instead of compiling it again.
#include <linux/bpf_common.h>
#include <sys/stat.h>

#include <cstring>

#include "core/sha256.h"
#include "core/system_library.h"
#include "seccomp/seccomp.h"

namespace reaper {

namespace {

constexpr std::string_view magic = "reaper filter 1\n";
constexpr size_t digest_size = 64;
constexpr uint32_t most_kept_warnings = 200;

struct Head {
  uint32_t flags;
  uint32_t instructions;
  uint64_t rules;
  uint32_t warnings;
  uint32_t reserved;
};

void put(std::string& out, const void* bytes, size_t size) {
  out.append(static_cast<const char*>(bytes), size);
}

void put_text(std::string& out, std::string_view text) {
  const auto size = static_cast<uint32_t>(text.size());
  put(out, &size, sizeof size);
  out += text;
}

bool take(std::string_view& in, void* out, size_t size) {
  if (in.size() < size) return false;
  memcpy(out, in.data(), size);
  in.remove_prefix(size);
  return true;
}

bool take_text(std::string_view& in, std::string& out) {
  uint32_t size = 0;
  if (!take(in, &size, sizeof size) || in.size() < size) return false;
  out = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

bool take_filter(std::string_view& in, SeccompFilter& filter) {
  Head head = {};
  if (!take(in, &head, sizeof head) || head.instructions == 0 || head.instructions > BPF_MAXINSNS ||
      head.warnings > most_kept_warnings)
    return false;
  filter.flags = head.flags;
  filter.rules = head.rules;
  filter.instructions.resize(head.instructions);
  if (!take(in, filter.instructions.data(), head.instructions * sizeof(uint64_t))) return false;
  filter.warnings.resize(head.warnings);
  for (Warning& warning : filter.warnings)
    if (!take_text(in, warning.pointer) || !take_text(in, warning.message)) return false;
  return in.empty();
}

}  // namespace

std::string kept_filter_name(const std::string& digest) {
#ifdef REAPER_SECCOMP_LIBRARY
  // Another libseccomp may know other system calls.
  struct stat library{};
  if (stat(system_library(REAPER_SECCOMP_LIBRARY).c_str(), &library) != 0) return "";
  return sha256_hex(digest + " " + std::to_string(library.st_dev) + " " + std::to_string(library.st_ino) + " " +
                    std::to_string(library.st_size) + " " + std::to_string(library.st_mtim.tv_sec) + " " +
                    std::to_string(library.st_mtim.tv_nsec));
#else
  (void)digest;
  return "";
#endif
}

std::string encode_filter(const SeccompFilter& filter, const std::string& name) {
  std::string body = name;
  const Head head = {filter.flags, static_cast<uint32_t>(filter.instructions.size()), filter.rules,
                     static_cast<uint32_t>(filter.warnings.size()), 0};
  put(body, &head, sizeof head);
  put(body, filter.instructions.data(), filter.instructions.size() * sizeof(uint64_t));
  for (const Warning& warning : filter.warnings) {
    put_text(body, warning.pointer);
    put_text(body, warning.message);
  }
  return std::string(magic) + sha256_hex(body) + body;
}

std::optional<SeccompFilter> decode_filter(std::string_view text, const std::string& name, const std::string& digest) {
  if (!text.starts_with(magic) || text.size() < magic.size() + digest_size) return std::nullopt;
  text.remove_prefix(magic.size());
  const std::string_view said = text.substr(0, digest_size);
  text.remove_prefix(digest_size);
  if (!text.starts_with(name) || sha256_hex(text) != said) return std::nullopt;
  text.remove_prefix(name.size());
  SeccompFilter filter;
  if (!take_filter(text, filter)) return std::nullopt;
  filter.digest = digest;
  return filter;
}

}  // namespace reaper
