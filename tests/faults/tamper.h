/* What the tests of the state directory share: records that are changed and whole again, and namespaces of one's own.
 */
#ifndef REAPER_TESTS_FAULTS_TAMPER_H
#define REAPER_TESTS_FAULTS_TAMPER_H

#include "containers.h"

/* The path of a file in a container's directory. free(3) it. */
char* file_of(const struct scene* scene, const char* id, const char* name);

/* The fields of `owner`, `identity`, `supervisor` and `starting` (docs/state.md), by their place in the line. */
enum field { FIELD_PID, FIELD_START_TIME, FIELD_BOOT_ID, FIELD_PID_NAMESPACE, FIELD_TIME_NAMESPACE, FIELD_COUNT };
/* One field of such a line anew, with the checksum that belongs to it. `text` may be what it was. */
char* identity_line(const char* line, enum field field, const char* value);
/* "PID START_TIME BOOT_ID PID_NAMESPACE TIME_NAMESPACE CHECKSUM\n" of a living process of our own namespaces. */
char* identity_of(pid_t pid);
/* One field, without its blanks. */
char* identity_field(const char* line, enum field field);
/* Gives state.json another record and version, in a frame that is right. */
void write_record(const struct scene* scene, const char* id, const char* version, const char* record);
/* The record in state.json, without its frame. */
char* read_record(const struct scene* scene, const char* id);
/* Replaces every `"name":value` of numbers and strings in the record, and the frame is right again. */
void change_record(const struct scene* scene, const char* id, const char* name, const char* value);
/* One field of the container's process and supervisor, wherever it is written: identity, supervisor, state.json. */
void change_identity(const struct scene* scene, const char* id, enum field field, const char* value);

/* A process that has nothing to do with any container: it waits until it is ended. */
pid_t innocent(void);
/* Whether it is alive, not stopped, and no signal waits for it. */
int is_unharmed(pid_t pid);
void end_own_child(pid_t pid);

/* For forked children: mounts of their own (and as an ordinary user a user namespace). 0: done; else an errno. */
int own_mounts(void);
/* Skips the test where own_mounts() cannot be had. */
void need_own_mounts(void);

/* Runs `body` as the first process of a pid namespace, with mounts and /proc of its own; everything below it ends with
 * it. The result of `body`, 77 where that cannot be had. */
int in_own_pids(int (*body)(void*), void* argument);
void need_own_pids(void);

#endif
