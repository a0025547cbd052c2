// Whether another user could reach and execute a file. The kernel answers that only for the process itself; for others
// it is worked out from owners and modes, as generic_permission() of fs/namei.c has it. Reads only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fd.h"
#include "host/facts.h"

namespace reaper {

struct Subject {
  uint32_t uid = 0, gid = 0;
  std::vector<uint32_t> groups;  // sorted
  uint64_t effective = 0;        // capabilities
};

enum class Verdict { yes, no, unknown };

struct Access {
  Verdict verdict = Verdict::yes;
  int error = 0;       // of `no`: the errno that the kernel would give
  std::string where;   // of `no` and `unknown`: the path as far as it is concerned
  uint32_t mode = 0;   // the permissions that decided, of `where` or of the directory that holds it
  std::string why;     // of `unknown`
  bool moves = false;  // of `unknown`: a link of /proc, which leads elsewhere in another process
  Fd file;             // of `yes` and `unknown`, where it could be opened: O_PATH
};

// `path` is absolute. chdir(2), and execve(2) of the file itself: whether it is a program shows when it is read.
// `own` is who asks: where the subject is this process, the kernel's own answer counts.
Access may_enter(const std::string& path, const Subject& subject, const ProcessFacts& own);
Access may_execute(const std::string& path, const Subject& subject, const ProcessFacts& own);

}  // namespace reaper
