/* SPDX-License-Identifier: Apache-2.0 */
/* See objlock.h. */
#include "image/objlock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "image/ref.h"

enum { INDEX_BYTE = 0 };

int objlock_open(const struct store *s, struct err *e)
{
	int fd = openat(s->dir, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* Where nothing can be written, it is enough for those who hold fast what is there: save, push, check. */
	if (fd < 0 && errno == EROFS)
		fd = openat(s->dir, ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_sys(e, "store %s: .lock", s->path) : fd;
}

static int set(int locks, short type, off_t start, off_t len, bool is_waiting)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
	int r;
	do
		r = fcntl(locks, is_waiting ? F_OFD_SETLKW : F_OFD_SETLK, &l);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* The even byte of a digest's pair, of the first 60 bits of its hash: "use"; the odd one is "build". */
static off_t byte_of(const char *digest)
{
	const char *hex = digest_hex(digest);
	uint64_t v = 1;
	for (int i = 0; i < 15; i++)
		v = v << 4 | (uint64_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
	return (off_t)(v << 1);
}

int objlock_use(int locks, const char *digest, struct err *e)
{
	int r = set(locks, F_RDLCK, byte_of(digest), 1, true);
	return r < 0 ? err_ret(e, r, "lock %s", digest) : 0;
}

int objlock_build(int locks, const char *digest, struct err *e)
{
	int r = set(locks, F_WRLCK, byte_of(digest) + 1, 1, true);
	return r < 0 ? err_ret(e, r, "lock layer %s", digest) : 0;
}

int objlock_try_delete(int locks, const char *digest, struct err *e)
{
	int r = set(locks, F_WRLCK, byte_of(digest), 2, false);
	if (r == -EAGAIN || r == -EACCES)
		return 0;
	return r < 0 ? err_ret(e, r, "lock %s", digest) : 1;
}

int objlock_index(int locks, struct err *e)
{
	int r = set(locks, F_WRLCK, INDEX_BYTE, 1, true);
	return r < 0 ? err_ret(e, r, "lock the index") : 0;
}

void objlock_index_end(int locks)
{
	set(locks, F_UNLCK, INDEX_BYTE, 1, false);
}

void objlock_end(int locks)
{
	set(locks, F_UNLCK, 0, 0, false);
}

int objlock_order(const char *a, const char *b)
{
	return strcmp(a, b);
}
