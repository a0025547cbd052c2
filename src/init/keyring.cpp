// A session keyring of the container's own (keyrings(7), session-keyring(7)), so that the program does not possess the
// caller's.
#include <asm/errno.h>
#include <linux/keyctl.h>

#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

// Bits of a key's permission mask (keyctl(2), KEYCTL_SETPERM): search, for its user, its group and all others.
constexpr uint64_t search_by_others = 0x00080808;

bool read_number(const char*& position, uint64_t base, uint64_t& number) {
  number = 0;
  const char* const begin = position;
  for (;; ++position) {
    const char c = *position;
    uint64_t digit = base;
    if (c >= '0' && c <= '9') digit = static_cast<uint64_t>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<uint64_t>(c - 'a') + 10;
    if (digit >= base) break;
    number = number * base + digit;
  }
  if (position == begin || *position != ';') return false;
  ++position;
  return true;
}

// Joining by a name takes a keyring of that name that its owner lets us search, if there is one: a trap that anybody
// can set who guesses the name. A keyring that the kernel has just made for us is our user's, and nobody may search it
// who does not possess it (join_session_keyring() of security/keys/process_keys.c).
bool is_new(long key) {
  char text[512];  // "keyring;UID;GID;PERMISSIONS;NAME"
  const long size = call(__NR_keyctl, KEYCTL_DESCRIBE, key, text, sizeof text - 1);
  if (size <= 0 || size >= static_cast<long>(sizeof text)) return false;
  text[size] = '\0';
  const char* position = text;
  while (*position != ';' && *position != '\0') ++position;
  if (*position++ == '\0') return false;
  uint64_t uid = 0, gid = 0, permissions = 0;
  if (!read_number(position, 10, uid) || !read_number(position, 10, gid) || !read_number(position, 16, permissions))
    return false;
  return uid == static_cast<uint64_t>(call(__NR_getuid)) && (permissions & search_by_others) == 0;
}

}  // namespace

Outcome join_session_keyring(const Operation& operation) {
  long key = call(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, operation.string(0));
  // A kernel without keys, or a seccomp filter around all of us: then the program cannot use any keyring either.
  if (key == -ENOSYS || key == -EPERM) return {};
  if (key < 0) return failed_call(key);
  if (!is_new(key)) key = call(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);  // without a name it always is
  return checked(key);
}

}  // namespace reaper::init
