// What a reaper-init says to the library: frames over a socket, and the sentence behind an error.
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/fd.h"
#include "fuzz/fuzz.h"
#include "launch/frames.h"

using namespace reaper;
using namespace reaper_test;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto error = error_from_frame(text_of(data, size));
  promise(error.code < 0 && !error.message.empty(), "an error frame is an error, whatever it holds");
  promise(printable(error.message, 1U << 20) == error.message, "messages are printable");
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return 0;
  const Fd ours(pair[0]);
  Fd theirs(pair[1]);
  const Fd process(eventfd(0, EFD_CLOEXEC));  // never readable: it lives
  if (send(theirs.get(), data, size, MSG_DONTWAIT | MSG_NOSIGNAL) != static_cast<ssize_t>(size)) return 0;
  theirs.reset();
  const FrameTalk talk(ours.get(), process.get(), "fuzz", no_deadline);
  size_t used = 0;
  for (;;) {
    const auto frame = talk.receive();
    if (!frame.has_value() || !*frame) break;
    used += sizeof(wire::FrameHeader) + (*frame)->payload.size();
    promise(used <= size, "no frame is longer than what was said");
    if ((*frame)->type == wire::Frame::error) (void)error_from_frame((*frame)->payload);
  }
  return 0;
}
