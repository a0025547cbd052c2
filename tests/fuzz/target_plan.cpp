// A plan's flat form and the frames of the handshake, as reaper-init reads them, against the model kernel.
#include <asm/unistd.h>
#include <sys/mman.h>

#include <stdexcept>

#include "fuzz/fuzz.h"
#include "init/kernel.h"

using namespace reaper;
using namespace reaper::test;
using namespace reaper_test;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Kernel k = full_kernel();
  const std::string bytes(text_of(data + 1, size - 1));
  // Either the plan in a frame that is right, or the frames, too.
  k.to_read = data[0] % 2 == 0 ? launch_bytes(bytes) : bytes;
  k.clone_result = data[0] % 4 < 2 ? 0 : 4242;
  k.ended = {{4242, 1, 0}};
  bool known = true;
  Ending ending;
  try {
    ending = run_init(k);
  } catch (const std::runtime_error&) {
    known = false;  // the model kernel does not know every call
  }
  // Nothing that init was told may make it say that a program comes without having let the client in.
  if (known && ending.executed) promise(!k.replied.empty() || !k.sent.empty(), "a program runs only behind EXEC");
  for (const Call& call : k.calls)
    if (call.number == __NR_mmap && call.result > 0)
      munmap(reinterpret_cast<void*>(call.result), static_cast<size_t>(call.arguments[1]));
  return 0;
}
