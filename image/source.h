/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an image comes from: a directory, or a tar archive, whose members are found by name. An archive that
 * is packed or comes through a pipe is first copied, plain, to an unnamed file of the store's. Part of
 * kist-image only.
 */
#pragma once
#include "image/inflate.h"
#include "image/ingest.h"
#include "util/arena.h"

enum { SOURCE_MEMBERS_MAX = 100000 };

struct member {
	const char *name; /* in plain form */
	const char *link; /* symlinks and hard links: the target in plain form */
	uint64_t offset;
	uint64_t size_bytes;
};

struct source {
	const char *path; /* as given, for messages */
	int fd;           /* the directory, or the archive */
	bool is_dir;
	struct arena arena;
	struct member *members;
	size_t count, room;
};

/* The bytes of a member. */
struct part {
	int fd;
	int own_fd; /* -1: `fd` is the source's */
	uint64_t offset;
	uint64_t size_bytes;
};

#define SOURCE_NONE ((struct source){ .fd = -1 })
#define source_auto __attribute__((cleanup(source_done)))

/* Opens a directory, a file, or standard input ("-"). The caller ends it by source_done. */
int source_open(const char *path, struct ingest *in, const struct inflate_limits *limits,
		struct source *ret_source, struct err *e);
void source_done(struct source *s);

/* True when a regular file of this name is there. */
bool source_has(const struct source *s, const char *name);

/* Finds a member, through links inside the source. -ENOENT with words. */
int source_part(const struct source *s, const char *name, struct part *ret_part, struct err *e);

/* Reads a small member whole. The caller frees. */
int source_read(const struct source *s, const char *name, size_t max_bytes, char **ret_bytes, size_t *ret_len,
		struct err *e);
