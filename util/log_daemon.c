/* SPDX-License-Identifier: Apache-2.0 */
/* See log_daemon.h. */
#include "util/log_daemon.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"

enum { FACILITY_USER = 1 << 3 };

/* syslog(3) priorities of error, warning, info, debug. */
static const int priorities[] = { 3, 4, 6, 7 };

static void print_syslog(struct str *line, const char *tag, int priority, const char *text)
{
	str_fmt(line, "<%d>%s[%d]: %s", FACILITY_USER | priority, tag, (int)getpid(), text);
}

/* A value with a newline in it goes with its length before it, as 64 bits, little endian. */
static void print_field(struct str *line, const char *name, const char *text)
{
	size_t len = strlen(text);

	if (!strchr(text, '\n')) {
		str_fmt(line, "%s=%s\n", name, text);
		return;
	}
	uint64_t size = htole64(len);
	str_fmt(line, "%s\n", name);
	str_add(line, (const char *)&size, sizeof(size));
	str_add(line, text, len);
	str_add(line, "\n", 1);
}

static void print_journal(struct str *line, const char *tag, int priority, const char *text)
{
	print_field(line, "MESSAGE", text);
	str_fmt(line, "PRIORITY=%d\n", priority);
	print_field(line, "SYSLOG_IDENTIFIER", tag);
}

static const struct log_daemon {
	const char *word;
	const char *socket;
	void (*print)(struct str *line, const char *tag, int priority, const char *text);
} daemons[] = {
	{ "syslog:", "/dev/log", print_syslog },
	{ "journald:", "/run/systemd/journal/socket", print_journal },
};

const struct log_daemon *log_daemon_find(const char *word, const char **ret_tag)
{
	for (size_t i = 0; i < ARRAY_LEN(daemons); i++) {
		size_t len = strlen(daemons[i].word);
		if (strncmp(word, daemons[i].word, len) != 0)
			continue;
		*ret_tag = word[len] ? word + len : "kist";
		return &daemons[i];
	}
	return NULL;
}

int log_daemon_connect(const struct log_daemon *d)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	fd_auto int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(name.sun_path, d->socket, strlen(d->socket));
	return fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 ? -errno : fd_take(&fd);
}

void log_daemon_send(const struct log_daemon *d, int fd, const char *tag, int level, const char *text)
{
	str_auto struct str line = STR_MAX(8192);

	d->print(&line, tag, priorities[level], text);
	send(fd, line.p, line.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}
