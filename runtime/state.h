/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kist knows of a container between two commands: one directory per container below the state root, taken by an
 * atomic mkdir, locked by flock on the directory, with
 *   state.json   this record, written before the first side effect and replaced whole;
 *   config.json  the configuration as it was at create: later edits of the bundle do not matter;
 *   gate         the socket at which a created process waits for start.
 * Source: runtime-spec runtime.md "State", "Lifecycle".
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/err.h"
#include "util/jx.h"

enum state_status { STATUS_CREATING, STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED };

struct state {
	const char *id;
	const char *bundle;            /* absolute */
	const char *rootfs;            /* absolute path of the root file system, "" for an engine's overlay */
	const char *created;           /* RFC 3339; NULL while creating */
	const char *cgroup;            /* path below the cgroup2 mount; NULL: cgroups are disabled */
	const char *scope;             /* unit of systemd that holds the group; NULL: none */
	const char *scope_mark;        /* how we know it again (cgroup/scope.h) */
	struct opt_bool is_scope_user; /* it belongs to the user's manager */
	struct opt_u32 cgroup_keep;    /* bytes of `cgroup` that were there before us */
	const char *rdt;               /* resctrl group of its processes, below the mount; NULL: none asked for */
	struct opt_bool rdt_own;       /* the class above it goes with the container */
	const char *boot_id;           /* start times count from the boot: those of another one mean nothing */
	struct opt_i32 pid;            /* of the container's init, in our pid namespace; absent while creating */
	struct opt_bool is_userns;   /* the container has a user namespace that its config does not name */
	struct opt_u64 pid_start;      /* its start time in clock ticks: tells a reused pid */
	struct opt_bool is_terminal;
	struct opt_bool is_pid_shared; /* no pid namespace of its own: its processes outlive the init */
	struct opt_bool is_traced;     /* exec has given a process CAP_SYS_PTRACE that the container has not by its config */
	struct opt_bool has_listener;  /* start hands the filter's notifications to linux.seccomp.listenerPath; else absent */
	struct opt_bool has_hooks;     /* config.json lists hooks for start or delete, and the container got so far */
	struct opt_bool is_checkpointed; /* a checkpoint has ended it: restore may take its place */
	struct opt_u64 hosted_mount;   /* hosted.h: the number of the container's mount in a namespace not its own, */
	struct opt_u64 hosted_inode;   /* with that of its root, before Linux 6.8, where numbers are used again; else 0, */
	const char *hosted_at;         /* its place there, */
	const char *hosted_ns;         /* and the path of that namespace; NULL: kist's */
	struct pairs annotations;
	struct arena arena;            /* holds the strings after state_read */
};

/* An open state directory. */
struct state_dir {
	int root;                      /* the state root */
	int fd;                        /* the container's directory */
	char id[256];
};

#define STATE_DIR_NONE ((struct state_dir){ .root = -1, .fd = -1 })

/* Whether a text can name a container: [A-Za-z0-9_][A-Za-z0-9_.+-]*, at most 200 bytes. Fills e. */
int state_check_id(const char *id, struct err *e);

/* Opens the state root, making it (0700) with `create`. Refused when it belongs to another user. */
int state_open_root(const char *path, bool create, struct err *e);

/*
 * Takes an id: mkdir, then the lock, which also tells that the creating kist lives. -EEXIST: the id is taken. The root
 * descriptor goes over to `ret`, or is closed on failure.
 */
int state_create(int own_root, const char *id, struct state_dir *ret, struct err *e);

/* Opens the directory of an id. -ENOENT: "container ID does not exist". With `lock`, waits for the lock. */
int state_open(int root, const char *id, bool lock, struct state_dir *ret, struct err *e);

/* As state_open with the lock, for a directory that is not called by a valid id: runtime/bury.h. */
int state_open_any(int root, const char *name, struct state_dir *ret, struct err *e);

/* Whether the directory still has a name: a delete takes it away before it runs hooks. 0, 1 or -errno. */
int state_is_named(const struct state_dir *dir, const char *name);

/* Closes the descriptors, and so gives the lock back. */
void state_close(struct state_dir *dir);

#define state_auto __attribute__((cleanup(state_close)))

/* Writes the first record, with O_EXCL, before any side effect. */
int state_write_first(const struct state_dir *dir, const struct state *s, struct err *e);

/* Replaces the record. */
int state_write(const struct state_dir *dir, const struct state *s, struct err *e);

/* Reads the record. -ENODATA: there is none, or a torn one: the runtime died before it had any effect. */
int state_read(const struct state_dir *dir, struct state *ret, struct err *e);
void state_done(struct state *s);

#define state_done_auto __attribute__((cleanup(state_done)))

/* Removes the directory; state.json goes last, so that a killed delete can be repeated. Already gone is success. */
int state_remove(struct state_dir *dir, struct err *e);

/*
 * What the container is doing now: an enum state_status, or -errno when that cannot be found out. With `ret_pidfd` not
 * NULL, gives a pidfd of the init (or -1 when it has ended).
 * Does not look at the freezer: a paused container is STATUS_RUNNING here (container_status tells).
 */
int state_status(const struct state_dir *dir, const struct state *s, int *ret_pidfd);

/* "creating", "created", ... */
const char *state_word(enum state_status status);

/* The OCI state document, with `indent` blanks. Source: runtime.md "State". */
void state_print(struct str *out, const struct state *s, enum state_status status, int indent);

/*
 * The same for hooks, but for `,"pid":N}` at its end, which depends on where one looks from. It has `root` too, the
 * path of the root file system, as crun has it: hooks that may not read the bundle find it there.
 */
void state_print_hook(struct str *out, const struct state *s, enum state_status status);

/* Calls `fn` for each id below the root until it returns non-zero, which is then returned. */
int state_each(int root, int (*fn)(void *ctx, const char *id), void *ctx, struct err *e);
