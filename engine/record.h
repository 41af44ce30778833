/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine keeps of a container, below STORE/containers/NAME. The name is the container's id too; mkdir takes it.
 *
 *   record.json   two lines of JSON: what it was made from and with what options; then {"startedAt"} while it runs,
 *                 and how it ended afterwards. Whoever runs the container holds an exclusive flock on it: a free lock
 *                 and no ending mean that this process was killed
 *   config.json   the composed OCI configuration, which `start` reads again; not with --rm in the foreground
 *   layers        diffIDs, one per line, that `image rm` leaves alone; written before anything else
 *   upper/ work/  the container's own layer
 *   volumes/N     anonymous volumes
 *   log, log.1    output of a detached container
 *
 * Few files, since a run makes and removes them all, and inodes are what costs on a disk.
 * A kill at any instant leaves a directory that record_remove takes away. Callers: engine.
 */
#pragma once
#include <stdbool.h>

#include "image/store.h"
#include "util/arena.h"
#include "util/err.h"
#include "util/jx.h"

struct record {
	const char *image;             /* as the user named it; NULL: a bundle or a root directory */
	const char *digest;            /* of the image's manifest */
	const char *bundle;            /* NULL: made from an image or --config */
	const char *created;           /* RFC 3339 */
	struct strs command;           /* the program's arguments */
	const char *stop_signal;       /* NULL: TERM */
	struct opt_i64 stop_timeout_ms;/* -1: for ever */
	struct opt_bool is_rm, is_terminal, is_input, is_detached;
	struct opt_i64 log_max_bytes, log_max_files;
	int cgroup_manager;            /* enum cgroup_manager; 0: kist itself */
	struct pairs labels;
	struct arena arena;
};

/* How a run began and ended. */
struct ending {
	const char *started, *finished;   /* RFC 3339; finished NULL: it has not ended, or nobody saw it */
	struct opt_i32 exit_code;
	struct opt_i32 signal;            /* that ended the program */
	struct opt_bool is_oom;           /* the kernel killed something in the group for want of memory */
	struct opt_u64 log_dropped;       /* lines that the log's file system did not take */
	const char *error;                /* why the program did not even start */
	struct arena arena;
};

enum record_state {
	RECORD_NEW,       /* never run, or somebody was killed while making it */
	RECORD_RUNNING,   /* its keeper or its foreground process is there */
	RECORD_ENDED,
	RECORD_ORPHANED,  /* began, and its keeper was killed before the end */
};

/* An open container directory. */
struct record_dir {
	int containers;        /* the directory above */
	int fd;                /* the directory, O_PATH */
	int file;              /* record.json with the lock; -1: not ours */
	int meet, mount;       /* the EROFS mount that it offers to others (image/erofsmount), while it runs; -1 */
	size_t head_len;       /* of its first line, once that is written or the lock taken */
	char name[256];
};

#define RECORD_DIR_NONE ((struct record_dir){ .containers = -1, .fd = -1, .file = -1, .meet = -1, .mount = -1 })

/* Makes the directory and takes the lock; a NULL name is made up. -EEXIST: the name is taken. */
int record_make(const struct store *s, const char *name, struct record_dir *ret, struct err *e);

/* Opens it. -ENOENT: "no such container: NAME". */
int record_open(const struct store *s, const char *name, struct record_dir *ret, struct err *e);
void record_close(struct record_dir *d);

#define record_auto __attribute__((cleanup(record_close)))

/* Takes the lock, to run the container again. -EBUSY: it is running. */
int record_take(struct record_dir *d, struct err *e);

/* Writes the first line. The lock is ours. */
int record_write(struct record_dir *d, const struct record *r, struct err *e);

/* Reads the record. -ENODATA: there is none, because its maker was killed. */
int record_read(const struct record_dir *d, struct record *ret, struct err *e);
void record_done(struct record *r);

#define record_done_auto __attribute__((cleanup(record_done)))

/* Notes the begin or the end in the second line. The lock is ours. */
int record_begin(const struct record_dir *d, struct err *e);
int record_end(const struct record_dir *d, const struct ending *x, struct err *e);

/* What it is doing; fills `ret` as far as it is known. */
enum record_state record_look(const struct record_dir *d, struct ending *ret);

/*
 * Waits until whoever runs the container has ended, even when the directory goes away meanwhile (--rm), and tells how.
 * timeout_ms 0: does not wait (-EBUSY); -1: for ever. Others wait in steps, since flock(2) knows no time limit.
 */
int record_wait(const struct record_dir *d, int timeout_ms, struct ending *ret, struct err *e);
void ending_done(struct ending *x);

#define ending_auto __attribute__((cleanup(ending_done)))

/* Removes the directory with all in it. Gone is success. */
int record_remove(struct record_dir *d, struct err *e);

/* Calls `fn` for each container's name until it returns non-zero, which is returned. */
int record_each(const struct store *s, int (*fn)(void *ctx, const char *name), void *ctx, struct err *e);
