/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist.json beside CRIU's images: what a checkpoint has that lies outside of the container, so that restore can put the
 * like of it there: bind mounts, masks, joined namespaces, standard streams. criu_look fills it from a running
 * container; restore reads it. Images may come from a stranger: what is read is checked, and names only places inside
 * of the container. docs/formats.md describes it.
 */
#pragma once
#include "util/arena.h"
#include "util/err.h"
#include "util/jx.h"

enum { CRIU_RECORD_VERSION = 1 };

/* Where a mount that CRIU leaves out comes from when the container is restored. */
enum criu_source { CRIU_BIND = 1, CRIU_NULL, CRIU_NODE, CRIU_CGROUP };

struct criu_mount {
	const char *mountpoint;    /* in the container: CRIU's name for it too */
	int source;                /* enum criu_source */
	const char *destination;   /* of the config's mount or device that it belongs to; NULL for masks */
	const char *below;         /* path beneath that mount, for what came along with a recursive bind; NULL: itself */
};

struct criu_mounts {
	struct criu_mount *v;
	size_t n;
};

/* A mount point in the root file system, which must be there before CRIU mounts on it. */
struct criu_target {
	const char *path;
	struct opt_bool is_file;
};

struct criu_targets {
	struct criu_target *v;
	size_t n;
};

/* A standard stream that comes from outside. */
struct criu_stream {
	struct opt_u32 fd;         /* 0, 1, 2 */
	const char *resource;      /* as --inherit-fd names it: "pipe:[123]", "file[1d:20]" */
	struct opt_bool is_null;   /* it was /dev/null, which is everywhere: restore takes that */
	struct opt_u64 size;       /* of a regular file, which CRIU compares */
};

struct criu_streams {
	struct criu_stream *v;
	size_t n;
};

struct criu_record {
	struct opt_u32 version;
	struct opt_bool is_terminal;     /* the container has a terminal of its own */
	struct criu_mounts mounts;
	struct criu_targets targets;
	struct criu_streams streams;
	struct strs namespaces;          /* "network", "pid": joined ones, left out */
	struct arena arena;              /* holds it after reading or looking */
};

/* Writes the record into the images directory. */
int criu_record_write(int images, const struct criu_record *r, struct err *e);

/* Reads and checks it. -ENOENT: these are no images of kist. */
int criu_record_read(int images, struct criu_record *ret, struct err *e);
void criu_record_done(struct criu_record *r);

#define criu_record_auto __attribute__((cleanup(criu_record_done)))

/* CRIU's name for a joined namespace, by which checkpoint and restore speak of the same. */
const char *criu_namespace_key(const char *word);
