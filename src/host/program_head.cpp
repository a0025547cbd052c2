#include "host/program_head.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>

namespace reaper {

namespace {

constexpr size_t head_size = 256;  // BINPRM_BUF_SIZE (Linux 5.1)

#if defined(__x86_64__)
constexpr unsigned own_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned own_machine = EM_AARCH64;
#else
#error "which ELF machine is this?"
#endif

// As fs/binfmt_script.c: blanks, the interpreter, then perhaps an argument. Empty where the kernel says ENOEXEC.
std::string script_interpreter(std::string_view line) {
  const size_t end = line.find('\n');
  const bool whole = end != std::string_view::npos;
  line = line.substr(0, end);
  const size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  line.remove_prefix(begin);
  const size_t stop = line.find_first_of(std::string_view(" \t\0", 3));
  if (stop == std::string_view::npos && !whole && line.size() + 2 + begin >= head_size) return "";  // cut off
  return std::string(line.substr(0, stop));
}

std::string elf_interpreter(int file, const Elf64_Ehdr& header) {
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr program;
    const auto at = static_cast<off_t>(header.e_phoff + uint64_t{i} * sizeof program);
    if (pread(file, &program, sizeof program, at) != sizeof program) return "";
    if (program.p_type != PT_INTERP) continue;
    char path[PATH_MAX] = "";
    if (program.p_filesz < 2 || program.p_filesz > sizeof path) return "";
    const ssize_t got = pread(file, path, program.p_filesz, static_cast<off_t>(program.p_offset));
    if (got != static_cast<ssize_t>(program.p_filesz) || path[got - 1] != '\0') return "";
    return path;
  }
  return "";
}

void read_elf(int file, const char* bytes, size_t size, ProgramHead& head) {
  head.kind = ProgramKind::elf;
  Elf64_Ehdr header = {};
  if (size < sizeof header) return;
  memcpy(&header, bytes, sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return;  // a 32-bit program: many kernels run those of their own machine
  head.foreign = header.e_machine != own_machine;
  if (!head.foreign && header.e_phentsize == sizeof(Elf64_Phdr)) head.interpreter = elf_interpreter(file, header);
}

}  // namespace

ProgramHead read_program_head(const Fd& file) {
  ProgramHead head;
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  struct stat status = {};
  struct statvfs system = {};
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return head;
  const bool honoured = fstatvfs(file.get(), &system) == 0 && (system.f_flag & ST_NOSUID) == 0;
  head.uid = status.st_uid;
  head.gid = status.st_gid;
  head.mode = status.st_mode & 07777;
  // Without the group's x bit, set-group-id means mandatory locking (inode(7)).
  const bool group_id = (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
  head.sets_ids = honoured && ((status.st_mode & S_ISUID) != 0 || group_id);
  head.has_capabilities = honoured && getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
  const Fd readable(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!readable) return head;
  char bytes[head_size];
  const ssize_t got = pread(readable.get(), bytes, sizeof bytes, 0);
  if (got < 0) return head;
  const std::string_view text(bytes, static_cast<size_t>(got));
  head.kind = ProgramKind::other;
  if (text.starts_with("\x7f"
                       "ELF")) {
    read_elf(readable.get(), bytes, text.size(), head);
  } else if (text.starts_with("#!")) {
    head.interpreter = script_interpreter(text.substr(2));
    if (!head.interpreter.empty()) head.kind = ProgramKind::script;
  }
  return head;
}

bool has_other_formats() {
  DIR* entries = opendir("/proc/sys/fs/binfmt_misc");
  if (entries == nullptr) return false;
  bool found = false;
  while (const dirent* entry = readdir(entries)) {
    const std::string_view name = entry->d_name;
    found = found || (name != "." && name != ".." && name != "register" && name != "status");
  }
  closedir(entries);
  return found;
}

}  // namespace reaper
