#include "init/frames.h"

#include <asm/errno.h>

#include "init/sys.h"

namespace reaper::init {

namespace {

constexpr int msg_nosignal = 0x4000;          // MSG_NOSIGNAL, linux/socket.h does not export it
constexpr int msg_cmsg_cloexec = 0x40000000;  // MSG_CMSG_CLOEXEC
constexpr int sol_socket = 1;                 // SOL_SOCKET, the same on both architectures
constexpr int scm_rights = 1;                 // SCM_RIGHTS
constexpr uint64_t max_text = 16U << 10;      // a pointer and a path fit; both fields are 16 bits wide

struct Part {  // iovec
  void* base;
  uint64_t size;
};
struct Rights {  // cmsghdr with one descriptor, cmsg(3)
  uint64_t size;
  int32_t level, type;
  int32_t descriptor, padding;
};
struct Message {  // msghdr, sendmsg(2)
  void* name;
  uint32_t name_size, padding;
  void* parts;
  uint64_t part_count;
  void* control;
  uint64_t control_size;
  uint32_t flags, more_padding;
};

long send_all(int fd, const void* bytes, uint64_t size) {
  const auto* position = static_cast<const char*>(bytes);
  while (size != 0) {
    const long sent = call_again(__NR_sendto, fd, position, size, msg_nosignal, nullptr, 0);
    if (sent < 0) return sent;
    position += sent;
    size -= static_cast<uint64_t>(sent);
  }
  return 0;
}

uint16_t bounded_length(const char* text) {
  const uint64_t length = length_of(text);
  return static_cast<uint16_t>(length < max_text ? length : max_text);
}

}  // namespace

long read_exactly(int fd, void* out, uint64_t size) {
  auto* position = static_cast<char*>(out);
  const uint64_t wanted = size;
  while (size != 0) {
    const long got = call_again(__NR_read, fd, position, size);
    if (got < 0) return got;
    if (got == 0) return size == wanted ? 0 : -EPROTO;
    position += got;
    size -= static_cast<uint64_t>(got);
  }
  return 1;
}

Outcome await_frame(int fd, wire::Frame type) {
  wire::FrameHeader frame = {};
  if (read_exactly(fd, &frame, sizeof frame) <= 0) exit_now(1);
  const bool expected =
      frame.magic == wire::frame_magic && frame.type == static_cast<uint16_t>(type) && frame.size == 0;
  return expected ? Outcome{} : malformed(0);
}

// The descriptor comes with the first byte (unix(7)).
Outcome await_descriptor(int fd, wire::Frame type, int& descriptor) {
  wire::FrameHeader frame = {};
  Part part = {&frame, sizeof frame};
  Rights control = {};
  Message message = {nullptr, 0, 0, &part, 1, &control, sizeof control, 0, 0};
  const long got = call_again(__NR_recvmsg, fd, &message, msg_cmsg_cloexec);
  if (got < 0) return failed_call(got, "recvmsg");
  if (got == 0) exit_now(1);
  const auto have = static_cast<uint64_t>(got);
  if (have < sizeof frame && read_exactly(fd, reinterpret_cast<char*>(&frame) + have, sizeof frame - have) <= 0)
    exit_now(1);
  if (frame.magic != wire::frame_magic || frame.type != static_cast<uint16_t>(type) || frame.size != 0)
    return malformed(0);
  // Without it: our table of descriptors is full.
  if (control.level != sol_socket || control.type != scm_rights) return failed_call(-EMFILE, "recvmsg");
  descriptor = control.descriptor;
  return {};
}

long send_frame(int fd, wire::Frame type, const void* payload, uint32_t size) {
  const wire::FrameHeader header = {wire::frame_magic, wire::version, static_cast<uint16_t>(type), size, 0};
  const long result = send_all(fd, &header, sizeof header);
  return result < 0 || size == 0 ? result : send_all(fd, payload, size);
}

long send_frame_with_descriptor(int fd, wire::Frame type, const void* payload, uint32_t size, int descriptor) {
  wire::FrameHeader header = {wire::frame_magic, wire::version, static_cast<uint16_t>(type), size, 0};
  Part part = {&header, sizeof header};
  Rights control = {sizeof control - sizeof control.padding, sol_socket, scm_rights, descriptor, 0};
  Message message = {nullptr, 0, 0, &part, 1, &control, sizeof control, 0, 0};
  // The descriptor goes with the first byte; a stream socket with so little in it takes the header at once.
  const long sent = call_again(__NR_sendmsg, fd, &message, msg_nosignal);
  if (sent < 0) return sent;
  if (const long rest =
          send_all(fd, reinterpret_cast<const char*>(&header) + sent, sizeof header - static_cast<uint64_t>(sent));
      rest < 0)
    return rest;
  return send_all(fd, payload, size);
}

static const char* pointer_of(const Operation* operation) {
  return operation != nullptr ? operation->pointer() : "";
}

static wire::ErrorHeader error_header(const Operation* operation, const Outcome& outcome) {
  wire::ErrorHeader error = {};
  error.op = operation != nullptr ? static_cast<uint16_t>(operation->op()) : 0;
  error.fault = static_cast<uint16_t>(outcome.fault);
  error.error = outcome.error;
  error.a = outcome.a;
  error.b = outcome.b;
  error.pointer_size = bounded_length(pointer_of(operation));
  error.text_size = bounded_length(outcome.text);
  return error;
}

void write_error(char* page, const Operation* operation, const Outcome& outcome) {
  wire::ErrorHeader error = error_header(operation, outcome);
  const auto room = static_cast<uint16_t>(wire::error_page_bytes - sizeof(wire::ErrorPage) - sizeof error);
  if (error.pointer_size > room) error.pointer_size = room;
  if (error.text_size > room - error.pointer_size) error.text_size = static_cast<uint16_t>(room - error.pointer_size);
  char* position = page + sizeof(wire::ErrorPage);
  __builtin_memcpy(position, &error, sizeof error);
  position += sizeof error;
  __builtin_memcpy(position, pointer_of(operation), error.pointer_size);
  __builtin_memcpy(position + error.pointer_size, outcome.text, error.text_size);
  reinterpret_cast<wire::ErrorPage*>(page)->size = sizeof error + error.pointer_size + error.text_size;
}

void send_error(int fd, const Operation* operation, const Outcome& outcome) {
  const wire::ErrorHeader error = error_header(operation, outcome);
  const uint32_t size = sizeof error + error.pointer_size + error.text_size;
  const wire::FrameHeader header = {wire::frame_magic, wire::version, static_cast<uint16_t>(wire::Frame::error), size,
                                    0};
  // One write for most errors would be nicer; a reader that takes whole frames does not care.
  if (send_all(fd, &header, sizeof header) < 0 || send_all(fd, &error, sizeof error) < 0) return;
  if (send_all(fd, pointer_of(operation), error.pointer_size) < 0) return;
  send_all(fd, outcome.text, error.text_size);
}

}  // namespace reaper::init
