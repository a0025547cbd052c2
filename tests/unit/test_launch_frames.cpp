// The library's side of the framed talk, over a socket pair with a peer of the test's own.
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string>

#include "core/fd.h"
#include "launch/frames.h"
#include "launch/launch.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;

namespace {

std::string frame(wire::Frame type, const std::string& payload, uint16_t version = wire::version) {
  const wire::FrameHeader header = {wire::frame_magic, version, static_cast<uint16_t>(type),
                                    static_cast<uint32_t>(payload.size()), 0};
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + payload;
}

// A process that lives until it is told, as the peer whose pidfd is watched.
struct Peer {
  Peer() {
    pid = fork();
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // ctest waits for whoever holds its pipe
      pause();
      _exit(0);
    }
    pidfd = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ours = Fd(pair[0]);
    theirs = Fd(pair[1]);
  }
  ~Peer() { end(); }
  void end() {
    if (pid <= 0) return;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    pid = -1;
  }
  FrameTalk talk(Deadline deadline = no_deadline) const { return {ours.get(), pidfd.get(), "test", deadline}; }
  void say(const std::string& bytes) const {
    assert_int_equal(write(theirs.get(), bytes.data(), bytes.size()), bytes.size());
  }

  pid_t pid;
  Fd pidfd, ours, theirs;
};

void frames_arrive_whole(void**) {
  Peer peer;
  peer.say(frame(wire::Frame::ready, "") + frame(wire::Frame::error, "why"));
  auto first = peer.talk().receive();
  assert_true(first.has_value() && first->has_value() && (*first)->type == wire::Frame::ready);
  auto second = peer.talk().receive();
  assert_true(second.has_value() && second->has_value() && (*second)->payload == "why");
}

void end_of_file_and_death(void**) {
  Peer peer;
  peer.theirs.reset();
  auto answer = peer.talk().receive();
  assert_true(answer.has_value() && !answer->has_value());

  // The other end stays open in somebody else's hands: only the pidfd can tell.
  Peer second;
  second.end();
  answer = second.talk().receive();
  assert_true(answer.has_value() && !answer->has_value());

  // What it said before it died is not lost.
  Peer third;
  third.say(frame(wire::Frame::error, "last words"));
  third.end();
  answer = third.talk().receive();
  assert_true(answer.has_value() && answer->has_value() && (*answer)->payload == "last words");
}

void bad_bytes(void**) {
  const std::string good = frame(wire::Frame::error, "payload");
  for (size_t size = 1; size < good.size(); ++size) {
    Peer peer;
    peer.say(good.substr(0, size));
    peer.theirs.reset();
    const auto answer = peer.talk().receive();
    assert_false(answer.has_value());
    assert_int_equal(answer.error().code, REAPER_ERR_INTERNAL);
  }
  Peer peer;
  peer.say(std::string(16, 'x'));
  assert_int_equal(peer.talk().receive().error().code, REAPER_ERR_INTERNAL);
  Peer large;
  std::string header = frame(wire::Frame::error, "");
  const uint32_t size = wire::max_frame_bytes + 1;
  memcpy(&header[8], &size, sizeof size);
  large.say(header);
  assert_int_equal(large.talk().receive().error().code, REAPER_ERR_INTERNAL);
  Peer newer;
  newer.say(frame(wire::Frame::ready, "", 2));
  assert_int_equal(newer.talk().receive().error().code, REAPER_ERR_UNSUPPORTED);
}

void deadline(void**) {
  Peer peer;
  const auto answer = peer.talk(std::chrono::steady_clock::now() + std::chrono::milliseconds(20)).receive();
  assert_false(answer.has_value());
  assert_int_equal(answer.error().code, REAPER_ERR_TIMEOUT);
}

// More than a socket buffer holds: the sender has to wait for its reader.
void large_frames_are_sent_whole(void**) {
  Peer peer;
  const std::string large(3U << 20, 'p');
  const pid_t reader = fork();
  if (reader == 0) {
    size_t got = 0;
    char buffer[65536];
    while (got < large.size() + sizeof(wire::FrameHeader)) {
      const ssize_t now = read(peer.theirs.get(), buffer, sizeof buffer);
      if (now <= 0) _exit(1);
      got += static_cast<size_t>(now);
    }
    _exit(0);
  }
  assert_true(peer.talk().send(wire::Frame::launch, large).has_value());
  int status = -1;
  waitpid(reader, &status, 0);
  assert_int_equal(status, 0);
}

// Of an exec: only EXEC and then end of file say that the program runs; an end alone is one of a process that died
// before.
void an_end_before_the_program(void**) {
  for (const bool executes : {false, true}) {
    Peer peer;
    if (executes) peer.say(frame(wire::Frame::exec, ""));
    Launched launched;
    launched.pid = peer.pid;
    launched.handshake = std::move(peer.ours);
    launched.pidfd = std::move(peer.pidfd);
    peer.theirs.reset();
    const Status seen = await_exec(launched, no_deadline, {});
    assert_int_equal(seen.has_value(), executes);
    if (executes) continue;
    assert_int_equal(seen.error().code, REAPER_ERR_SYSTEM);
    assert_string_equal(seen.error().stage.c_str(), "exec");
  }
}

void a_dead_reader_is_an_error(void**) {
  Peer peer;
  peer.theirs.reset();
  assert_false(peer.talk().send(wire::Frame::go).has_value());  // and no SIGPIPE
  Peer stuck;
  stuck.end();
  assert_false(stuck.talk().send(wire::Frame::launch, std::string(8U << 20, 'x')).has_value());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(frames_arrive_whole),
      cmocka_unit_test(end_of_file_and_death),
      cmocka_unit_test(bad_bytes),
      cmocka_unit_test(deadline),
      cmocka_unit_test(large_frames_are_sent_whole),
      cmocka_unit_test(an_end_before_the_program),
      cmocka_unit_test(a_dead_reader_is_an_error),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
