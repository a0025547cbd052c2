// The first bytes of a program, which belongs to a tenant: a preflight reads its ELF header and its #! line.
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "core/fd.h"
#include "fuzz/fuzz.h"
#include "host/program_head.h"

using namespace reaper;
using namespace reaper_test;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Fd file(memfd_create("program", MFD_CLOEXEC));
  if (!file || write(file.get(), data, size) != static_cast<ssize_t>(size)) return 0;
  const ProgramHead head = read_program_head(file);
  promise(head.interpreter.size() < 4096, "no interpreter is longer than a path");
  promise(head.interpreter.find('\0') == std::string::npos, "an interpreter is one word");
  promise(head.kind != ProgramKind::script || text_of(data, size).starts_with("#!"), "a script begins with #!");
  promise(head.kind != ProgramKind::elf || text_of(data, size).starts_with("\x7f\x45LF"), "an ELF file says so");
  return 0;
}
