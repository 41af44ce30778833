/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who owns a descriptor, and small whole files at a directory descriptor. Silent: returns 0 or -errno.
 */
#pragma once
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Closes a descriptor once and keeps errno; -1 is nothing. close(2): never retried, EINTR has closed it too. */
void fd_close(int fd);

static inline void fd_close_at(int *fd)
{
	if (*fd >= 0)
		fd_close(*fd);
}

#define fd_auto __attribute__((cleanup(fd_close_at)))

/*
 * For a process that is about to exec: its descriptors are close-on-exec, and exec closes all of them at once for the
 * price of none. They are left to it, unless there are so many that the table could fill.
 */
static inline void fd_leave_at(int *fd)
{
	if (*fd >= 256)
		fd_close(*fd);
}

#define fd_leave_auto __attribute__((cleanup(fd_leave_at)))

/* Moves a descriptor out of a scope that would close it. */
#define fd_take(fd) ({ int *take_from_ = (fd); int taken_ = *take_from_; *take_from_ = -1; taken_; })

/* Closes what a variable holds and sets it to -1. */
static inline void fd_drop(int *fd)
{
	fd_close_at(fd);
	*fd = -1;
}

/* Reads or writes all of `len` bytes, going on after short counts and EINTR. Read returns the count (less at end). */
ssize_t fd_read_all(int fd, void *buf, size_t len);
ssize_t fd_read_at(int fd, void *buf, size_t len, uint64_t offset); /* pread(2): the position stays */
int fd_write_all(int fd, const void *buf, size_t len);

/*
 * Reads a whole regular file below `dirfd` into a NUL-terminated buffer that the caller frees. FIFOs, devices and
 * directories are refused (-EINVAL), a file over `max` bytes too (-EFBIG). The last component may be a symlink only
 * with `follow`. A file of procfs or sysfs, whose size reads 0, is read to its end.
 */
int file_read(int dirfd, const char *name, size_t max, bool follow, char **ret_bytes, size_t *ret_len);

/*
 * Reads what a caller of ours names: a regular file, a pipe such as the shell's <(...), which is waited for, or "-" for
 * standard input, to its end. The caller frees. -EFBIG over `max` bytes; devices and directories are -EINVAL, -EISDIR.
 */
int file_read_given(const char *path, size_t max, char **ret_bytes, size_t *ret_len);

/*
 * The next entry of a directory. NULL at the end, or with -errno in *ret, which is left alone otherwise: a list that breaks
 * off is not taken for a short one. readdir(3) "RETURN VALUE"
 */
struct dirent *fd_next(DIR *d, int *ret);

/* Whether such a name is that of a regular file, which can be read twice. */
bool file_is_regular(const char *path);

/* Writes a small value to an existing file, as the attribute files of cgroupfs, procfs and sysfs want it: one write. */
int file_write(int dirfd, const char *name, const char *value);
int file_write_bytes(int dirfd, const char *name, const char *bytes, size_t len);

/* Replaces `name` below `dirfd` with new bytes: temporary file, write, rename. Readers see the old or the new. */
int file_replace(int dirfd, const char *name, const char *bytes, size_t len, mode_t mode);

/*
 * As file_replace, with fsync of file and directory, for what must outlive a power cut, and only by a temporary file of
 * our own: -EEXIST if there is one by its name, .NAME.new, which could be somebody else's.
 */
int file_replace_sync(int dirfd, const char *name, const char *bytes, size_t len, mode_t mode);

/*
 * Removes `name` below `dirfd` and everything in it, never following a symlink or crossing into another file system.
 * Runs in the parent. -ENOENT when it is not there. unlinkat(2).
 */
int file_remove_tree(int dirfd, const char *name);

/* Closes every descriptor from `from` on but those of a short list (-1: none), sorting the list. close_range(2). */
void fd_close_others(unsigned from, int *keep, size_t count);

/*
 * The first of `count` descriptors from `from` on that a caller has not passed to us, or -1. One that is closed on exec is
 * ours: it cannot have come with execve(2).
 */
int fd_find_missing(unsigned from, unsigned count);

/* Formats "/proc/self/fd/N" into a buffer of 32 bytes and returns it. */
char *fd_path(int fd, char buf[static 32]);
