/* What the tests of a root of the container's own share: a root file system of busybox alone, in the scene's bundle. */
#ifndef REAPER_TESTS_API_ROOT_H
#define REAPER_TESTS_API_ROOT_H

#include "containers.h"

#include <unistd.h>

#define BUSYBOX "/bin/busybox"

/* scene_setup(), and `rootfs` in the bundle with /bin/busybox, where there is one. */
int root_setup(void **state);
/* A path in it; free(3) it. */
char *in_root(const struct scene *scene, const char *path);
void directory_in_root(const struct scene *scene, const char *path);
void file_in_root(const struct scene *scene, const char *path, const char *text);
void link_in_root(const struct scene *scene, const char *target, const char *path);

/* A config with that root, in namespaces of the types mount, pid, ipc, uts and network: the shell of busybox runs the
 * script. `mounts` is what stands in the array, `root` and `lin` are further members of root and linux, each with its
 * comma before it. free(3) it. */
char *root_config(const char *script, const char *mounts, const char *root, const char *lin);

/* Whether this process may make namespaces and roots. */
int can_make_roots(void);
#define NEED_ROOT_FILE_SYSTEM()                                           \
  do {                                                                    \
    if (!can_make_roots()) SKIP("making namespaces needs CAP_SYS_ADMIN"); \
    if (access(BUSYBOX, X_OK) != 0) SKIP("no busybox here");              \
  } while (0)

#endif
