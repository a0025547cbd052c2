/* What the tests of terminals share: masters to read and write, and sockets that take them. */
#ifndef REAPER_TESTS_API_TERMINAL_H
#define REAPER_TESTS_API_TERMINAL_H

#include "containers.h"

/* Skips the test where the caller may not make a terminal. */
void need_terminals(void);

/* Members of `process` for a program that ends at once. */
#define TERMINAL_MEMBERS "\"args\":[\"/bin/true\"],\"cwd\":\"/\",\"terminal\":true"

/* config.json for /bin/sh -c `script` with a terminal. `more` as for shell_config(). */
char *terminal_config(const char *script, const char *more);

/* Creates with `console`; *master receives it. */
reaper_container *must_create_terminal(const struct scene *scene, const char *id, const char *config, int32_t *master);

/* Reads from a master until what it has read contains `part`, which must come. free(3) the text. */
char *read_until(int master, const char *part);
/* Reads until the other end is closed by all. */
char *read_to_end(int master);

/* A listening unix stream socket at `path`, which may be longer than sun_path. */
int listen_at(const char *path, int backlog);
/* Accepts one connection and takes its one message: the descriptor, and its data in *text (free(3) it). */
int take_descriptor(int listener, char **text);

#endif
