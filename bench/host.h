/* A host program: it runs /bin/true in the three ways that are compared. */
#ifndef REAPER_BENCH_HOST_H
#define REAPER_BENCH_HOST_H

#include <reaper.h>
#include <stdint.h>

#include "measure.h"

struct host {
  reaper_runtime* runtime;
  const char* bundle;
};

/* `root`: the state directory; `bundle`: its config.json runs /bin/true. Loads nothing else, starts nothing. */
void host_open(struct host* host, const char* root, const char* bundle);
void host_close(struct host* host);

/* Each a `measured`; the context is a struct host. */
int64_t by_reaper(void* host); /* create, start, wait, delete */
int64_t by_spawn(void* host);  /* posix_spawn, waitpid */
int64_t by_fork(void* host);   /* fork, execve, waitpid */

#endif
