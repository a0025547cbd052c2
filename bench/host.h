/* A host program: it runs /bin/true in the three ways that are compared. */
#ifndef REAPER_BENCH_HOST_H
#define REAPER_BENCH_HOST_H

#include <reaper.h>
#include <stdint.h>

#include "measure.h"

struct host {
  reaper_runtime* runtime;
  const char* bundle;
  const char* id; /* of the container that by_reaper() makes */
};

/* `root`: the state directory; `bundle`: its config.json runs /bin/true. Loads nothing else, starts nothing. */
void host_open(struct host* host, const char* root, const char* bundle);
void host_close(struct host* host);

/* A container that has run and is left there, stopped: what `list` and `state` are measured with. */
void leave_stopped(struct host* host, const char* id);
/* Deletes it. */
void sweep_up(struct host* host, const char* id);

/* Each a `measured`; the context is a struct host. */
int64_t by_reaper(void* host); /* create, start, wait, delete */
int64_t by_spawn(void* host);  /* posix_spawn, waitpid */
int64_t by_fork(void* host);   /* fork, execve, waitpid */
/* clone, mounts and all that the isolated bundle of bench/run asks for, execve, waitpid (isolated.c) */
int64_t by_system_calls(void* host);

#endif
