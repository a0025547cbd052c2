// What execve(2) sees of a file before it executes it: an ELF file, a script, or neither.
#pragma once

#include <string>

#include "core/fd.h"

namespace reaper {

enum class ProgramKind { elf, script, other, unreadable };

struct ProgramHead {
  ProgramKind kind = ProgramKind::unreadable;
  std::string interpreter;        // of the #! line, or of PT_INTERP; empty: none
  bool foreign = false;           // an ELF file for another machine
  bool sets_ids = false;          // set-user-id or set-group-id, on a file system that honours it
  bool has_capabilities = false;  // capabilities(7), File capabilities
  uint32_t uid = 0, gid = 0;      // its owner's
  uint32_t mode = 0;
};

// `file` was opened with O_PATH. Reads at most what the kernel reads.
ProgramHead read_program_head(const Fd& file);

// Whether this kernel may execute what is neither ELF nor a script, or is for another machine (binfmt_misc).
bool has_other_formats();

}  // namespace reaper
