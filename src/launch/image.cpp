// reaper-init travels inside the library. It is put into a sealed memfd once per runtime handle.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <string>

#include "core/file_size.h"
#include "launch/launch.h"

// clang-format off
asm(".pushsection .rodata\n"
    ".balign 16\n"
    ".hidden reaper_init_image_begin\n.globl reaper_init_image_begin\nreaper_init_image_begin:\n"
    ".incbin \"" REAPER_INIT_IMAGE "\"\n"
    ".hidden reaper_init_image_end\n.globl reaper_init_image_end\nreaper_init_image_end:\n"
    ".popsection\n");
// clang-format on

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U  // Linux 6.3
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020  // Linux 6.3
#endif

namespace reaper {

// Not C++ objects but labels; the names are those of the assembler text above.
extern const char image_begin[] asm("reaper_init_image_begin");
extern const char image_end[] asm("reaper_init_image_end");

namespace {

Result<Fd> make_memfd() {
  // Before 6.3 MFD_EXEC is EINVAL; from 6.3 on it is wanted wherever vm.memfd_noexec is 1.
  Fd fd(memfd_create("reaper-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC));
  if (!fd && errno == EINVAL) fd = Fd(memfd_create("reaper-init", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return fail(system_error("image", "memfd_create reaper-init"));
  if (!fits_file_size_limit(static_cast<uint64_t>(image_end - image_begin)))
    return fail(system_error("image", "write reaper-init to a memfd (RLIMIT_FSIZE)", EFBIG));
  const char* position = image_begin;
  while (position != image_end) {
    const ssize_t written = write(fd.get(), position, static_cast<size_t>(image_end - position));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail(system_error("image", "write reaper-init to a memfd"));
    position += written;
  }
  // Nobody can change it any more, by any descriptor: the answer to CVE-2019-5736.
  constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (fcntl(fd.get(), F_ADD_SEALS, seals | F_SEAL_EXEC) != 0 && fcntl(fd.get(), F_ADD_SEALS, seals) != 0)
    return fail(system_error("image", "fcntl F_ADD_SEALS on reaper-init"));
  return fd;
}

// The installed program: beside the library when it was moved with its prefix, else where it was configured to be.
Fd open_installed() {
  Dl_info library;
  if (dladdr(image_begin, &library) != 0 && library.dli_fname != nullptr && library.dli_fname[0] == '/') {
    std::string path(library.dli_fname);
    path.erase(path.rfind('/'));
    path += "/../libexec/reaper/reaper-init";
    if (Fd fd(open(path.c_str(), O_PATH | O_CLOEXEC)); fd) return fd;
  }
  return Fd(open(REAPER_INIT_INSTALLED, O_PATH | O_CLOEXEC));
}

}  // namespace

Result<Fd> open_init_image() {
  Result<Fd> memfd = make_memfd();
  if (memfd.has_value()) return memfd;
  if (Fd installed = open_installed(); installed) return installed;
  return memfd;
}

}  // namespace reaper
