/* Namespaces of somebody else, for containers to join. */
#ifndef REAPER_TESTS_API_HOLDER_H
#define REAPER_TESTS_API_HOLDER_H

#include <sched.h>
#include <sys/types.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/* A process in new namespaces, with a first child in them, until it reads the end of its pipe. */
struct holder {
  pid_t parent; /* made them */
  pid_t pid;    /* is in all of them */
  int hold;
};

/* `uids`, `gids`: the maps of a user namespace among them, or NULL. `clocks`: for /proc/PID/timens_offsets. 0: held. */
int hold(struct holder *holder, int flags, const char *uids, const char *gids, const char *clocks);
int release(struct holder holder);
/* The same by no child of ours, nor below one, until this process ends: the pid in all of them, or -1. */
pid_t hold_apart(int flags, const char *uids, const char *gids);

#endif
