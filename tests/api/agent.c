/* Who listens at linux.seccomp.listenerPath, for the tests. */
#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "terminal.h"

int agent_of(const struct scene *scene) {
  char *path = text_of("%s/agent", scene->place.directory);
  const int agent = listen_at(path, 1);
  free(path);
  return agent;
}

int take_listener(int agent, char **text) {
  struct pollfd waiting = {agent, POLLIN, 0};
  REQUIRE(poll(&waiting, 1, 10000) == 1);
  return take_descriptor(agent, text);
}

long next_call(int listener, unsigned long long *id) {
  struct seccomp_notif request;
  struct pollfd waiting = {listener, POLLIN, 0};
  for (;;) {
    if (poll(&waiting, 1, 10000) != 1 || (waiting.revents & POLLIN) == 0) return -1;
    memset(&request, 0, sizeof request);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) == 0) break;
    if (errno != EINTR && errno != ENOENT) return -1;
  }
  *id = request.id;
  return request.data.nr;
}

int answer(int listener, unsigned long long id, long long value, int error, unsigned flags) {
  struct seccomp_notif_resp response = {id, value, -error, flags};
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

void *let_pass(void *argument) {
  struct agent *agent = argument;
  char *text = NULL;
  const int listener = take_listener(agent->socket, &text);
  free(text);
  for (;;) {
    unsigned long long id = 0;
    const long call = next_call(listener, &id);
    if (call < 0) break;
    ++agent->seen;
    agent->execve |= call == SYS_execve;
    (void)answer(listener, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
  }
  close(listener);
  return NULL;
}
