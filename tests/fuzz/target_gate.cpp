// What clients of the gate say to a waiting reaper-init. Inputs of several clients are separated by "\xff\xff\xff\xff".
#include <asm/unistd.h>
#include <sys/mman.h>

#include "fuzz/fuzz.h"
#include "init/kernel.h"

using namespace reaper;
using namespace reaper::test;
using namespace reaper_test;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Kernel k = full_kernel();
  k.connections.clear();
  bool starts = false;
  const std::string start = frame_bytes(wire::Frame::start);
  for (std::string_view rest = text_of(data, size); !rest.empty();) {
    const std::string client(rest.substr(0, rest.find("\xff\xff\xff\xff")));
    rest.remove_prefix(std::min(rest.size(), client.size() + 4));
    // The reserved field of a frame says nothing yet.
    starts = starts || (client.size() >= start.size() && client.substr(0, 12) == start.substr(0, 12));
    k.connections.push_back(client);
  }
  const Ending ending = run_init(k);
  promise(ending.executed == starts, "the program runs if and only if somebody said START");
  for (const Call& call : k.calls)
    if (call.number == __NR_mmap && call.result > 0)
      munmap(reinterpret_cast<void*>(call.result), static_cast<size_t>(call.arguments[1]));
  return 0;
}
