/* User namespaces: whether they can be made here, their maps, and containers in namespaces of any kind. */
#ifndef REAPER_TESTS_API_USERS_H
#define REAPER_TESTS_API_USERS_H

#include "containers.h"

#include <sys/types.h>

/* For in_child(): 0 if a user namespace can be made; by an ordinary user, where `ordinary` is not NULL. */
int try_user_namespace(void *ordinary);
extern int ordinary_flag; /* something to point to */
#define NEED_USER_NAMESPACES(whose) \
  if (in_child(try_user_namespace, whose) != 0) SKIP("user namespaces cannot be made here")

/* An element of uidMappings or gidMappings. free(3) it. */
char *range_of(unsigned inside, unsigned outside, unsigned size);

/* In a child: root of a new user namespace, to which only the ids of this process belong, and in which setgroups(2) is
 * denied. 0: done; 77: none can be made. */
int become_root_inside(void);

/* In a child: a mount namespace in which the ordinary user, that this process becomes, has 1000 subordinate uids from
 * 400000 and gids from 500000. 0: done. */
int become_subordinate(const struct scene *outer);

/* What the links of a process's namespaces say, a line for each of `names`. free(3) it. */
char *namespace_links(pid_t pid, const char *const *names, size_t count);

/* In a child: a file of /proc, written in one piece. 0: done. */
int put(const char *path, const char *text);

/* config.json for a shell in `namespaces`, elements of linux.namespaces. `process` and `more`: further members of
 * process and of linux, ",\"user\":{...}" or "". */
char *namespaces_config(const char *namespaces, const char *script, const char *process, const char *more);
/* What a container of this config writes; `flags` of the create. free(3) it. */
char *said_by(const struct scene *scene, const char *config, uint32_t flags);

#endif
