/* Hosts that are no quiet place: whole lives in each of them, with what their programs had, and the host afterwards. */
#ifndef REAPER_TESTS_THREADS_UNRULY_H
#define REAPER_TESTS_THREADS_UNRULY_H

#include "containers.h"

#include <stdatomic.h>

struct unruly {
  const char* name;
  int (*prepare)(struct scene* scene);                         /* NULL: nothing is to be prepared */
  int (*trouble)(const struct scene* scene, atomic_int* over); /* a thread, until `over`; it leaves all as it was */
  int reaps;                                                   /* it takes the statuses of children */
};
/* In a child: lives of every kind go well there, the program has what its config.json says and nothing of the host, and
   the host is as it was. */
void assert_lives_in(struct unruly unruly);

/* The thread: an argument of pthread_create. */
struct troublemaker {
  const struct unruly* unruly;
  const struct scene* scene;
  atomic_int over;
};
void* make_trouble(void* troublemaker);
/* A moment, for loops that have no end of their own. */
void breathe(void);

/* Mask, umask, users, dispositions, working directory, descriptors, children; as text, to be freed. */
char* settings_of_the_host(void);
/* Whether they are others now; says which. */
int settings_differ(const char* before);

enum kind { PLAIN, SUPERVISED, HOOKED, KINDS };
/* A program that tells on its standard output what it has, and exits with 7; and what that must be. */
char* life_config(enum kind kind);
char* expected_output(void);
/* Such a life, from create to delete: 0 when all of it went well. */
int checked_life(const struct scene* scene, enum kind kind, int reaps);

#endif
