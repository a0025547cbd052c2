/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reaper.h: an OCI container runtime as a library.
 *
 * Ownership    What a function returns through `out` is yours: handles and errors have a *_free function, strings
 *              go to reaper_free(), descriptors to close(2). Every free function takes NULL, and handles may be freed
 *              in any order: a container keeps what it needs of its runtime.
 * Failure      0 is success; a negative REAPER_ERR_* is failure, and then *out is untouched and nothing has changed.
 *              `err` may be NULL; otherwise it receives an error object that you free. Codes are never renumbered.
 * Threads      A `const` handle may be used by any number of threads at once. Without `const`, one thread at a time
 *              for that handle, except reaper_create(), reaper_open() and reaper_list(): any threads at once.
 *              The library starts no thread, and every thread may make its own handles.
 * Processes    The calling process is never changed: no signal handler, mask, umask, working directory, environment
 *              or subreaper flag. Only the library's own children are waited for. After fork(2), use no handle that
 *              was made before it; free functions are safe there. Loading the library does nothing.
 * Descriptors  Every descriptor that is made is close-on-exec. 0, 1 and 2 are never written to. Hooks of config.json
 *              inherit 1 and 2, as any program that this process executes does.
 *
 * Option structs begin with `size`: set it to sizeof the struct. All other members zero mean the defaults. A larger
 * struct than the library knows is accepted while the tail that it does not know is zero.
 * Names and meanings follow the OCI runtime specification 1.3 (https://github.com/opencontainers/runtime-spec).
 */
#ifndef REAPER_H
#define REAPER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define REAPER_API __attribute__((visibility("default")))
#else
#define REAPER_API
#endif

/* The version of this header. reaper_version() tells that of the library that was loaded. */
#define REAPER_VERSION_MAJOR 0
#define REAPER_VERSION_MINOR 1
#define REAPER_VERSION_PATCH 0

typedef struct reaper_runtime reaper_runtime;     /* a state directory: reaper_runtime_new() */
typedef struct reaper_container reaper_container; /* a container: reaper_create(), reaper_open() */
typedef struct reaper_process reaper_process;     /* a further process in a container: reaper_exec() */
typedef struct reaper_error reaper_error;         /* what went wrong: reaper_error_code() */

/* ---- Errors ------------------------------------------------------------------------------------------------- */

#define REAPER_OK 0                 /* success */
#define REAPER_ERR_INVALID (-1)     /* an argument or config.json is wrong; reaper_error_pointer() names the field */
#define REAPER_ERR_UNSUPPORTED (-2) /* right, but this build, kernel or mode cannot apply it */
#define REAPER_ERR_NOT_FOUND (-3)   /* no container of that id; no bundle or config.json there */
#define REAPER_ERR_EXISTS (-4)      /* the id is in use */
#define REAPER_ERR_STATUS (-5)      /* the container's status does not allow this operation */
#define REAPER_ERR_BUSY (-6)        /* another operation holds the container; try again */
#define REAPER_ERR_PERMISSION (-7)  /* the kernel refused, or a capability that is needed is not held */
#define REAPER_ERR_SYSTEM (-8)      /* a system call failed; reaper_error_errno() and _stage() say which and why */
#define REAPER_ERR_NO_MEMORY (-9)   /* an allocation failed */
#define REAPER_ERR_TIMEOUT (-10)    /* the time limit was reached */
#define REAPER_ERR_CORRUPT (-11)    /* the record on disk cannot be believed */
#define REAPER_ERR_VERIFY (-12)     /* identity or capabilities read back differ from what was asked for */
#define REAPER_ERR_EXEC (-13)       /* the program could not be found or executed */
#define REAPER_ERR_UNKNOWN (-14)    /* the exit status can no longer be known */
#define REAPER_ERR_INTERNAL (-15)   /* a defect of the library */
#define REAPER_ERR_HOOK (-16)       /* a hook failed; reaper_error_pointer() names it */

/*
 * What an error object tells. The strings live as long as the error.
 * code: the REAPER_ERR_* that was returned. errno: a value of errno(3), or 0. message: one line in English that
 * stands alone. pointer: the JSON pointer (RFC 6901) of the field of config.json at fault, or "". stage: the step that
 * failed, such as "config", "plan", "claim", "clone", "setresuid" or "execve". NULL gives 0 or "".
 */
REAPER_API int32_t reaper_error_code(const reaper_error *error);
REAPER_API int32_t reaper_error_errno(const reaper_error *error);
REAPER_API const char *reaper_error_message(const reaper_error *error);
REAPER_API const char *reaper_error_pointer(const reaper_error *error);
REAPER_API const char *reaper_error_stage(const reaper_error *error);
REAPER_API void reaper_error_free(reaper_error *error);

/* The name of a code, "REAPER_ERR_BUSY" for instance; "REAPER_ERR_?" for a number that is none. Static. */
REAPER_API const char *reaper_error_name(int32_t code);

/* Frees a string that a function of this library returned through `out`. */
REAPER_API void reaper_free(char *string);

/* ---- Version and features ----------------------------------------------------------------------------------- */

/* The library's version, "0.1.0" for instance. Static. */
REAPER_API const char *reaper_version(void);

/* The source revision it was built from, or "unknown". Static. */
REAPER_API const char *reaper_commit(void);

/*
 * The features object of the OCI runtime specification (features.md) as JSON. Fixed at build time: nothing is probed.
 * Errors: NO_MEMORY.
 */
REAPER_API int reaper_features(char **out_json, reaper_error **err);

/* ---- Runtime ------------------------------------------------------------------------------------------------ */

#define REAPER_LOG_ERROR 1   /* an operation fails; it returns the same as an error object */
#define REAPER_LOG_WARNING 2 /* something that was asked for is not done */
#define REAPER_LOG_INFO 3    /* worth knowing */
#define REAPER_LOG_DEBUG 4   /* for who looks for a mistake */

/*
 * Receives one message without a newline, on the thread that called the library and inside that call; never in a
 * child process. It must not call the library with the same handle and must not unwind.
 */
typedef void (*reaper_log_callback)(void *data, int32_t level, const char *message);

/* The options of reaper_runtime_new(). */
typedef struct reaper_runtime_options {
  uint64_t size;            /* sizeof(reaper_runtime_options) */
  const char *root;         /* state directory; NULL: the default, see reaper_runtime_new() */
  reaper_log_callback log;  /* NULL: nothing is logged */
  void *log_data;           /* handed to `log` */
  uint32_t log_level;       /* the least important level that is sent; 0: REAPER_LOG_WARNING */
  uint32_t flags;           /* none yet: 0 */
  uint64_t lock_timeout_ms; /* how long an operation waits for another one before BUSY; 0: 10,000 */
  uint64_t kill_timeout_ms; /* how long what was killed may take to die before TIMEOUT; 0: 10,000 */
} reaper_runtime_options;

/*
 * A handle on a state directory. `options` may be NULL.
 * The default directory is $REAPER_RUNTIME_ROOT; else /run/reaper for root; else $XDG_RUNTIME_DIR/reaper; else
 * /run/user/UID/reaper where that is the caller's own; else /tmp/reaper-UID. The environment is not read when `root` is
 * given. A relative `root` is taken from the working directory now, not later. Nothing is made on disk: the first
 * reaper_create() makes the directory (0700).
 * Errors: INVALID (options), NO_MEMORY, SYSTEM.
 */
REAPER_API int reaper_runtime_new(const reaper_runtime_options *options, reaper_runtime **out, reaper_error **err);
REAPER_API void reaper_runtime_free(reaper_runtime *runtime);

/* The absolute path of the state directory. Lives as long as the handle. */
REAPER_API const char *reaper_runtime_root(const reaper_runtime *runtime);

/* ---- Life cycle --------------------------------------------------------------------------------------------- */

#define REAPER_CREATE_STDIO (1U << 0)          /* use `stdio`; without it 0, 1 and 2 of the program are /dev/null */
#define REAPER_CREATE_STRICT (1U << 1)         /* warnings about config.json (unknown names, ...) are errors */
#define REAPER_CREATE_SUPERVISE (1U << 2)      /* a supervisor stays: see reaper_create() */
#define REAPER_CREATE_NO_NEW_KEYRING (1U << 3) /* the program keeps the caller's session keyring (keyrings(7)) */
#define REAPER_CREATE_NO_CGROUP (1U << 4)      /* linux.cgroupsPath is passed over: the caller's cgroups stay */
#define REAPER_CREATE_NO_PIVOT (1U << 5)       /* a root of its own is moved over the host's, without pivot_root(2) */

/* The options of reaper_create(), reaper_plan() and reaper_check(). */
typedef struct reaper_create_options {
  uint64_t size;            /* sizeof(reaper_create_options) */
  const char *bundle;       /* directory that holds config.json; NULL: the working directory */
  const char *config;       /* the text of config.json; NULL: read it from the bundle */
  uint64_t config_length;   /* bytes of `config`; it need not end in NUL */
  const char *pid_file;     /* path to write the pid to (digits only), by rename, before success; NULL: none */
  const int32_t *extra_fds; /* open descriptors that the program gets as 3, 4, ...; they stay yours */
  uint32_t extra_fd_count;  /* how many */
  uint32_t flags;           /* REAPER_CREATE_* */
  int32_t stdio[3];         /* with REAPER_CREATE_STDIO: the program's 0, 1 and 2; -1: /dev/null; they stay yours */
  uint32_t listen_fd_count; /* the first so many of extra_fds are announced: LISTEN_FDS, LISTEN_PID (see below) */
  /* With `process.terminal` exactly one of the next two is wanted, and without it none; see reaper_create(). */
  const char *console_socket; /* path of a listening unix stream socket, which is sent the terminal's master */
  int32_t *console;           /* receives the terminal's master: yours to close, close-on-exec */
  const char *listen_names;   /* LISTEN_FDNAMES: as many names, separated by colons; NULL: none */
} reaper_create_options;

/*
 * The create operation of the specification (runtime.md, Create): makes everything that config.json asks for except
 * the program, which waits for reaper_start(). `id`: [A-Za-z0-9_][A-Za-z0-9_.+-]{0,254}, unused in this state
 * directory. The container's process becomes a child of the calling process, to be waited for with reaper_wait(), or
 * by whoever adopts it.
 * The program gets a session keyring of its own, `_ses.<id>`; not where the kernel has no keys or a filter denies them.
 * It counts against the caller's quota while the program lives.
 * With listen_fd_count, the program finds its sockets as sd_listen_fds(3) has it; what process.env says of LISTEN_FDS,
 * LISTEN_PID and LISTEN_FDNAMES is left out.
 * Terminal: with `process.terminal` the program's 0, 1 and 2 are a new pseudo-terminal (pty(7)), which is its
 * controlling terminal and belongs to its user; `stdio` is not used then. The master is what you read and write. It
 * goes to *console, or in one message to `console_socket`: the slave's path as data, the master as SCM_RIGHTS
 * (unix(7)). That socket is connected before anything is made. When the last copy of the master is closed, the
 * program gets SIGHUP, a created container as well.
 * Changes: <root>/<id> is made, and the cgroups of linux.cgroupsPath where they are missing (docs/cgroups.md): absolute
 * from the cgroup mounts, relative from the caller's own cgroup; the container's process is moved into them before it
 * carries out anything. Warnings are logged and kept in reaper_state().
 * With REAPER_CREATE_SUPERVISE that child is a supervisor, and the container's process is its child. It records how the
 * container ends, so that every process can ask reaper_wait() for it, and keeps all descendants in reach of
 * REAPER_KILL_ALL and reaper_delete(). It ends after the last of them; its zombie is taken by reaper_delete()
 * (docs/supervision.md).
 * Hooks: prestart, createRuntime and createContainer hooks run last, without a lock, while the status is `creating`
 * (docs/hooks.md). Once they have begun, a failure of any kind runs the poststop hooks after all else was taken back.
 * Errors: INVALID, UNSUPPORTED, NOT_FOUND, EXISTS, BUSY, PERMISSION, SYSTEM, NO_MEMORY, EXEC, VERIFY, CORRUPT, HOOK,
 * STATUS (deleted by force while its hooks ran), TIMEOUT (nobody accepts on console_socket, and its queue is full);
 * nothing is left behind then.
 */
REAPER_API int reaper_create(reaper_runtime *runtime, const char *id, const reaper_create_options *options,
                             reaper_container **out, reaper_error **err);

/*
 * A handle on an existing container. It keeps one descriptor on the container's directory and one on its process.
 * Errors: INVALID (the id), NOT_FOUND, CORRUPT, UNSUPPORTED (a record of a newer version, or one from another pid
 * namespace, where its numbers mean other processes), SYSTEM, NO_MEMORY.
 */
REAPER_API int reaper_open(const reaper_runtime *runtime, const char *id, reaper_container **out, reaper_error **err);

/* Frees the handle. The container lives on. */
REAPER_API void reaper_container_free(reaper_container *container);

/* The id. Lives as long as the handle. */
REAPER_API const char *reaper_container_id(const reaper_container *container);

/*
 * Runs the program of a created container. Success means that execve(2) has succeeded with an identity that was
 * read back and compared. startContainer hooks run before that, poststart hooks after it; while they run, the container
 * is not locked, and another start is STATUS. HOOK: one of them failed, and the container was destroyed as by
 * reaper_delete() with force.
 * Errors: STATUS (not `created`, or being started), HOOK, BUSY, NOT_FOUND, INVALID (config.json has no `process`),
 * EXEC, VERIFY, TIMEOUT, PERMISSION, UNSUPPORTED (reaper-init of another version), SYSTEM, NO_MEMORY; after any but
 * STATUS, HOOK, BUSY, NOT_FOUND and INVALID the container is stopped, or still `created` if it had not come to the
 * program.
 */
REAPER_API int reaper_start(reaper_container *container, reaper_error **err);

/*
 * The state object of the specification (runtime.md, State) as JSON, with `created` (RFC 3339) and an object `reaper`
 * (docs/state.md). Takes no lock. Errors: NOT_FOUND, STATUS (still being created, and not as far as its hooks),
 * CORRUPT, SYSTEM, NO_MEMORY.
 */
REAPER_API int reaper_state(const reaper_container *container, char **out_json, reaper_error **err);

#define REAPER_STATUS_CREATING 1 /* reaper_create() has not returned: its hooks run */
#define REAPER_STATUS_CREATED 2  /* the program waits for reaper_start() */
#define REAPER_STATUS_RUNNING 3  /* the program runs */
#define REAPER_STATUS_STOPPED 4  /* the process has ended */

/* The status alone, as REAPER_STATUS_*. A zombie is stopped. Errors: as reaper_state(). */
REAPER_API int reaper_status(const reaper_container *container, int32_t *out, reaper_error **err);

/* The process id in the caller's pid namespace, also after the process ended. Errors: as reaper_state(). */
REAPER_API int reaper_pid(const reaper_container *container, int32_t *out, reaper_error **err);

/*
 * A new pidfd (pidfd_open(2)) of the container's process; yours to close. poll(2) reports it readable when the process
 * has ended. Errors: STATUS (it has ended and was reaped), PERMISSION, as reaper_state() otherwise.
 */
REAPER_API int reaper_pidfd(const reaper_container *container, int32_t *out, reaper_error **err);

#define REAPER_KILL_ALL (1U << 0) /* every process of the container that can be found, not only its first */

/*
 * Sends a signal (signal(7), by number) through a pidfd, after the process was compared with the record. With
 * REAPER_KILL_ALL, descendants are found through /proc; see reaper_state() for the containment in force. On a stopped
 * container that flag is success. In a cgroup of its own, or below a supervisor, it reaches every process, also those
 * that the container's first one has left behind, and with SIGKILL it returns when they have ended.
 * Errors: INVALID (the signal), STATUS (`container not running`), PERMISSION, TIMEOUT (such a SIGKILL: see
 * kill_timeout_ms), as reaper_state() otherwise.
 */
REAPER_API int reaper_kill(const reaper_container *container, int32_t signal, uint32_t flags, reaper_error **err);

#define REAPER_DELETE_FORCE (1U << 0) /* end the process first; also sweep what a killed reaper_create() left */

/*
 * Removes a stopped container: its directory, the cgroups that were made for it, and its zombie if it is a child of the
 * caller. What is left in its cgroups, or below its supervisor, is killed first. The handle answers NOT_FOUND
 * afterwards, but keeps the exit status for reaper_wait(). Then the poststop hooks run; one that fails is a warning for
 * the log, and nothing else. Errors: STATUS (not stopped, without FORCE), BUSY, TIMEOUT (it does not die), CORRUPT,
 * PERMISSION, SYSTEM, NO_MEMORY.
 */
REAPER_API int reaper_delete(reaper_container *container, uint32_t flags, reaper_error **err);

/*
 * reaper_delete() by id, which also reaches containers that reaper_open() refuses (a corrupt record, an interrupted
 * create). Errors: as reaper_delete(); NOT_FOUND.
 */
REAPER_API int reaper_delete_id(reaper_runtime *runtime, const char *id, uint32_t flags, reaper_error **err);

/* How a container's process ended: reaper_wait(). */
typedef struct reaper_exit_status {
  uint64_t size;          /* in: sizeof(reaper_exit_status) */
  int32_t exit_code;      /* 0..255, or -1 if a signal ended it */
  int32_t signal;         /* 0, or the signal that ended it */
  uint32_t core_dumped;   /* 1: a core file was written */
  uint32_t reserved;      /* 0 */
  int64_t started_at_ns;  /* CLOCK_REALTIME of the start, or 0: not known */
  int64_t finished_at_ns; /* CLOCK_REALTIME of the end, or 0: not known */
  int64_t user_time_us;   /* ru_utime (getrusage(2)), or -1: not known */
  int64_t system_time_us; /* ru_stime, or -1 */
  int64_t max_rss_kib;    /* ru_maxrss, or -1 */
} reaper_exit_status;

/*
 * Waits until the container's process has ended, at most timeout_ms milliseconds (negative: for ever; 0: only look),
 * and tells how. A supervisor's record tells every process, as often as it is asked. Without one: reaps the process if
 * it is a child of the caller. Otherwise, and where something else reaped it, the status comes from PIDFD_GET_INFO
 * (Linux 6.15) or /proc/PID/stat (proc(5), same user or root). Only the first `size` bytes of *out are written. Any
 * number of threads may wait. A signal handler that interrupts does not end the wait. Errors: TIMEOUT (still alive),
 * UNKNOWN (it ended, nobody can say how), as reaper_state() otherwise.
 */
REAPER_API int reaper_wait(const reaper_container *container, int64_t timeout_ms, reaper_exit_status *out,
                           reaper_error **err);

/* ---- Further processes --------------------------------------------------------------------------------------- */

#define REAPER_EXEC_STDIO (1U << 0)         /* use `stdio`; without it 0, 1 and 2 of the program are /dev/null */
#define REAPER_EXEC_STRICT (1U << 1)        /* warnings about the document (unknown names, ...) are errors */
#define REAPER_EXEC_LAY_OVER (1U << 2)      /* `process` is laid over the container's own: see reaper_exec() */
#define REAPER_EXEC_IGNORE_PAUSED (1U << 3) /* also while the container is paused: returns when it goes on */
#define REAPER_EXEC_NO_NEW_PRIVS (1U << 4)  /* no_new_privs (prctl(2)), whatever the document says */

/* The options of reaper_exec(). */
typedef struct reaper_exec_options {
  uint64_t size;              /* sizeof(reaper_exec_options) */
  const char *process;        /* the text of a process object as config.json has it */
  uint64_t process_length;    /* bytes of `process`; it need not end in NUL */
  const char *pid_file;       /* path to write the pid to (digits only), by rename, before success; NULL: none */
  const int32_t *extra_fds;   /* open descriptors that the program gets as 3, 4, ...; they stay yours */
  uint32_t extra_fd_count;    /* how many */
  uint32_t flags;             /* REAPER_EXEC_* */
  int32_t stdio[3];           /* with REAPER_EXEC_STDIO: the program's 0, 1 and 2; -1: /dev/null; they stay yours */
  uint32_t reserved;          /* 0 */
  const char *console_socket; /* as in reaper_create_options, for a document with `terminal` */
  int32_t *console;           /* the same */
} reaper_exec_options;

/*
 * Runs a further process in a running container: in its namespaces, its root and its cgroups, with an identity that was
 * read back and compared as that of the container's own process. Success means that execve(2) has succeeded. The
 * process is a child of the calling process and nothing of it is written down: it is waited for with
 * reaper_process_wait(), or by whoever adopts it. Any number of threads may call this at once. With
 * REAPER_EXEC_LAY_OVER the container's own process, as it was created, is the beginning: members of `process` stand in
 * the place of its members, but what `env`, `user.additionalGids` and the sets of `capabilities` have is added to what
 * is there (a variable that is given anew has its new value alone), and `terminal` is false unless `process` says
 * otherwise. execCPUAffinity counts here. linux.personality, linux.memoryPolicy, linux.seccomp (with a listener of its
 * own), linux.intelRdt and the session keyring are as for the container's own process (docs/exec.md).
 * Wait for it: its zombie would keep the first process of a pid namespace from ending (pid_namespaces(7)).
 * Changes: the processes of the container. What reaches the new one when the container is killed: its cgroups, or its
 * pid namespace; without either only its handle does. Warnings are logged.
 * Errors: STATUS (`container not running`; created; paused), NOT_FOUND, BUSY, INVALID, UNSUPPORTED (a user namespace
 * that is not the caller's; LAY_OVER in a container of an older version), PERMISSION, EXEC, VERIFY, SYSTEM, NO_MEMORY,
 * TIMEOUT (as reaper_create()), CORRUPT; no process is left behind then.
 */
REAPER_API int reaper_exec(const reaper_container *container, const reaper_exec_options *options, reaper_process **out,
                           reaper_error **err);

/* Frees the handle, and takes the zombie of a process that has ended. Another one lives on, the caller's child. */
REAPER_API void reaper_process_free(reaper_process *process);

/* The process id in the caller's pid namespace, also after the process ended. NULL gives 0. */
REAPER_API int32_t reaper_process_pid(const reaper_process *process);

/* A new descriptor for its pidfd (pidfd_open(2)); yours to close. Errors: SYSTEM, NO_MEMORY. */
REAPER_API int reaper_process_pidfd(const reaper_process *process, int32_t *out, reaper_error **err);

/* Sends a signal through the pidfd. Errors: INVALID (the signal), STATUS (it has ended), PERMISSION, SYSTEM. */
REAPER_API int reaper_process_kill(const reaper_process *process, int32_t signal, reaper_error **err);

/*
 * Waits until the process has ended, and tells how, as often as it is asked: as reaper_wait() without a supervisor.
 * Errors: TIMEOUT (still alive), UNKNOWN (it ended, nobody can say how), INVALID, SYSTEM, NO_MEMORY.
 */
REAPER_API int reaper_process_wait(const reaper_process *process, int64_t timeout_ms, reaper_exit_status *out,
                                   reaper_error **err);

/* ---- All of them --------------------------------------------------------------------------------------------- */

/*
 * Every container as a JSON array of {id, pid, status, bundle, created, owner}; one with a corrupt record has the
 * status `corrupt` and a member `error`. An empty or absent state directory gives []. Errors: PERMISSION, SYSTEM,
 * NO_MEMORY.
 */
REAPER_API int reaper_list(const reaper_runtime *runtime, char **out_json, reaper_error **err);

/* ---- Before anything happens -------------------------------------------------------------------------------- */

#define REAPER_FORMAT_TEXT 0U /* lines, for people */
#define REAPER_FORMAT_JSON 1U /* one JSON value without a newline, for programs */

/*
 * The plan that reaper_create() would carry out with these options. As text: one operation a line in its order, with
 * the JSON pointer that asked for it, then what execve(2) makes of the capabilities, the hooks, and the warnings. As
 * JSON: {"operations": [{"op", "pointer", "arguments": {...}}...], "hooks": [{"kind", "pointer", "path", "args",
 * "environmentEntries", "timeout"}...], "identity": {...}, "warnings": [...]}, where `identity` is `reaper.credentials`
 * of reaper_state() and `warnings` its `reaper.warnings`. Nothing is made or changed; the
 * members `console_socket` and `console` of the options are not looked at.
 * Errors: as reaper_create() up to its first change: INVALID, UNSUPPORTED, NOT_FOUND, PERMISSION, SYSTEM, NO_MEMORY.
 */
REAPER_API int reaper_plan(const reaper_runtime *runtime, const reaper_create_options *options, uint32_t format,
                           char **out, reaper_error **err);

/*
 * What would fail, for this user on this host, and why: every error that reaper_create() with these options, and then
 * reaper_start(), can be foreseen to give, not only the first, with unknown properties, what cannot be granted, and
 * what else is worth knowing. The program, its interpreter and the working directory are looked up as the user that it
 * would have. As text: one finding a line, "error: ...", "warning: ..." (an error with REAPER_CREATE_STRICT) or "note:
 * ...". As JSON: {"ok": no errors, "findings": [{"level", "code", "pointer", "stage", "message"}...]}, where `code` is
 * the name of the REAPER_ERR_* that would be returned ("REAPER_OK" for a note). REAPER_OK means that it was looked,
 * whatever was found. Nothing is made or changed, the state directory included. Errors: INVALID and UNSUPPORTED (the
 * arguments), NO_MEMORY, SYSTEM (facts about this process cannot be read).
 */
REAPER_API int reaper_check(const reaper_runtime *runtime, const reaper_create_options *options, uint32_t format,
                            char **out, reaper_error **err);

/*
 * A config.json to begin with, which runs as it stands for root and for an ordinary user: a line of shell in host mode.
 * Errors: NO_MEMORY.
 */
REAPER_API int reaper_spec(char **out_json, reaper_error **err);

#ifdef __cplusplus
}
#endif

#endif /* REAPER_H */
