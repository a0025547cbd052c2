#include "faults/agent_thread.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "faults/harness_cpp.h"

extern "C" {
#include "terminal.h"
}

namespace reaper::walk {

Agent::Agent(const std::string& path) : socket_(listen_at(path.c_str(), 64)) {
  REQUIRE(pipe2(stop_, O_CLOEXEC) == 0);
  // The tracer's ticks are the tracer's.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  REQUIRE(pthread_create(&thread_, nullptr, run, this) == 0);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Agent::~Agent() {
  close(stop_[1]);
  pthread_join(thread_, nullptr);
  close(stop_[0]);
  close(socket_);
}

void* Agent::run(void* agent) {
  static_cast<Agent*>(agent)->serve();
  return nullptr;
}

// The listener, or false: whoever connected has gone without one.
bool Agent::take(int connection, int& listener) {
  char text[4096];
  iovec part = {text, sizeof text};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof listener)] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) <= 0) return false;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return false;
  memcpy(&listener, CMSG_DATA(header), sizeof listener);
  return true;
}

// False: nobody has this filter any more.
bool Agent::answer(int listener) {
  seccomp_notif request = {};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) return errno == EINTR || errno == ENOENT;
  seccomp_notif_resp response = {};
  response.id = request.id;
  response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0) ++answered_;
  return true;
}

void Agent::serve() {
  std::vector<pollfd> all = {{stop_[0], POLLIN, 0}, {socket_, POLLIN, 0}};
  std::vector<bool> listens = {false, false};
  for (;;) {
    idle_ = all.size() == 2;
    if (poll(all.data(), all.size(), -1) < 0) continue;
    if (all[0].revents != 0) break;
    for (size_t i = all.size(); i-- > 2;) {
      if (all[i].revents == 0) continue;
      int listener = -1;
      const bool readable = (all[i].revents & POLLIN) != 0;
      const bool stays = listens[i] && readable && answer(all[i].fd);
      const bool taken = !listens[i] && take(all[i].fd, listener);
      if (stays) continue;
      close(all[i].fd);
      all.erase(all.begin() + static_cast<ptrdiff_t>(i));
      listens.erase(listens.begin() + static_cast<ptrdiff_t>(i));
      if (!taken) continue;
      all.push_back({listener, POLLIN, 0});
      listens.push_back(true);
    }
    if ((all[1].revents & POLLIN) == 0) continue;
    idle_ = false;
    const int connection = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    all.push_back({connection, POLLIN, 0});
    listens.push_back(false);
  }
  for (size_t i = 2; i < all.size(); ++i) close(all[i].fd);
}

}  // namespace reaper::walk
