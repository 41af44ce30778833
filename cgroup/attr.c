/* SPDX-License-Identifier: Apache-2.0 */
/* See attr.h. */
#include "cgroup/attr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/fd.h"

int attr_read(int group_fd, const char *file, char *buf, size_t size)
{
	fd_auto int fd = openat(group_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0)
		return -errno;
	/*
	 * A file of kernfs gives up to a page per read: one is enough, unless the list is longer than that.
	 */
	ssize_t n = read(fd, buf, size);
	if (n < 0)
		return -errno;
	size_t len = (size_t)n;
	while (n >= 4000 && len < size) {
		n = fd_read_all(fd, buf + len, size - len);
		if (n < 0)
			return (int)n;
		len += (size_t)n;
	}
	if (len >= size)
		return -EFBIG;
	while (len > 0 && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return (int)len;
}

int attr_u64(int group_fd, const char *file, uint64_t *ret_value)
{
	char buf[64];
	int n = attr_read(group_fd, file, buf, sizeof(buf));
	if (n < 0)
		return n;
	if (strcmp(buf, "max") == 0) {
		*ret_value = UINT64_MAX;
		return 0;
	}
	char *end;
	errno = 0;
	uint64_t v = strtoull(buf, &end, 10);
	if (errno || end == buf || *end)
		return -EBADMSG;
	*ret_value = v;
	return 0;
}

int attr_key(const char *text, const char *key, uint64_t *ret_value)
{
	size_t len = strlen(key);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) != 0 || line[len] != ' ')
			continue;
		*ret_value = strtoull(line + len + 1, NULL, 10);
		return 0;
	}
	return -ENODATA;
}

int attr_has_word(const char *list, const char *word)
{
	size_t len = strlen(word);
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, " \n");
		if (n == len && memcmp(p, word, n) == 0)
			return 1;
		p += n;
		p += strspn(p, " \n");
	}
	return 0;
}
