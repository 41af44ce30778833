/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that a user asks for by -o FILE: there whole or not at all. It is written without a name and takes its place by
 * rename; what is no regular file (a pipe, a device, a link such as /dev/stdout) is written to as it is. Callers: image
 * (save, export, pack).
 */
#pragma once
#include <sys/types.h>

#include "util/err.h"

struct outfile {
	int fd;           /* to write to, and to read what was written */
	mode_t mode;      /* of a new file, before the mask */
	int own_dir;      /* where it takes its place; -1: it has it already */
	char *name;       /* there */
	char *temporary;  /* there, while it is written; NULL: it has none yet */
};

#define OUTFILE_NONE ((struct outfile){ .fd = -1, .own_dir = -1 })
#define outfile_auto __attribute__((cleanup(outfile_done)))

/* What new files lose of 0666: for programs that set the process's umask(2) to 0. */
void outfile_mask(mode_t mask);

/* Opens one; NULL and "-" are standard output. The caller ends it by outfile_done. */
int outfile_open(const char *path, struct outfile *ret, struct err *e);

/* The same for a program, with mode 0755, whose bytes do not go in order: what is no regular file is refused. */
int outfile_open_program(const char *path, struct outfile *ret, struct err *e);

/* All is written: the file reaches the disk and takes its place. */
int outfile_finish(struct outfile *o, struct err *e);

/* Closes it. Without outfile_finish before, nothing of it is left. */
void outfile_done(struct outfile *o);
