/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the files of a saved image go: into a tar archive, or into a directory that takes its place when it is whole.
 * Headers hold no time, owner or order but the caller's, so equal images give equal bytes. Part of kist-image, for
 * image/save.
 */
#pragma once
#include "image/tarout.h"
#include "util/outfile.h"

struct sink {
	bool is_dir;
	struct outfile file; /* of an archive */
	struct tarout tar;
	int own_parent, own_dir; /* of a directory */
	char *name, *temporary;
	int own_fd;	     /* its file that is being written */
	uint64_t size, left; /* of the file that is being written */
};

#define SINK_NONE ((struct sink){ .file = OUTFILE_NONE, .own_parent = -1, .own_dir = -1, .own_fd = -1 })
#define sink_auto __attribute__((cleanup(sink_done)))

/* Begins an archive (NULL and "-": standard output), or a directory, which must not be there. */
int sink_archive(struct sink *s, const char *path, struct err *e);
int sink_directory(struct sink *s, const char *path, struct err *e);

/* Adds a directory; its name has no slash at the end. */
int sink_mkdir(struct sink *s, const char *name, struct err *e);

/* Adds a file of `size` bytes, which sink_write must then give, all of them, up to sink_close. */
int sink_file(struct sink *s, const char *name, uint64_t size, struct err *e);
int sink_write(struct sink *s, const void *bytes, size_t len, struct err *e);
int sink_close(struct sink *s, struct err *e);

/* A whole small file. */
int sink_text(struct sink *s, const char *name, const char *text, size_t len, struct err *e);

/* All is there: it takes its place. Without it, sink_done leaves nothing. */
int sink_finish(struct sink *s, struct err *e);
void sink_done(struct sink *s);
