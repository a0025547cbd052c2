/* An agent of SCMP_ACT_NOTIFY: who listens at linux.seccomp.listenerPath and answers system calls. */
#ifndef REAPER_TESTS_API_AGENT_H
#define REAPER_TESTS_API_AGENT_H

#include "containers.h"

#include <linux/seccomp.h>

#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1UL /* Linux 5.5 */
#endif

/* The socket "agent" of the place. */
int agent_of(const struct scene *scene);
/* The container process state (free(3) it) and the listener, in one message, and then the end of the connection. */
int take_listener(int agent, char **text);
/* The next call that somebody is asked about; its number, or -1: there is nobody any more. */
long next_call(int listener, unsigned long long *id);
/* 0: it was answered so. */
int answer(int listener, unsigned long long id, long long value, int error, unsigned flags);

/* A thread that lets everything pass, up to the end of whoever has the filter. */
struct agent {
  int socket;
  int seen;   /* calls */
  int execve; /* one of them */
};
void *let_pass(void *agent);

#endif
