/* SPDX-License-Identifier: Apache-2.0 */
/* See log.h. The sink is the one mutable global of the program. */
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/fd.h"
#include "util/log_daemon.h"
#include "util/mem.h"

static struct {
	enum log_level level;
	int fd;
	const struct log_daemon *daemon;  /* NULL: fd is a file */
	const char *tag;
	bool is_json, is_told;
} sink = { .level = LOG_WARN, .fd = -1 };

static const char *const level_names[] = {
	[LOG_ERROR] = "error", [LOG_WARN] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

int log_open(const struct log_options *options)
{
	sink.level = options->level;
	sink.is_json = options->is_json;
	if (!options->file)
		return 0;
	const char *name = options->file;
	const struct log_daemon *daemon = log_daemon_find(name, &sink.tag);
	if (daemon && options->is_json)
		return -EINVAL;
	if (!daemon && strncmp(name, "file:", 5) == 0)
		name += 5;
	int fd = daemon ? log_daemon_connect(daemon)
			: open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
	if (fd < 0)
		return daemon ? fd : -errno;
	sink.daemon = daemon;
	fd_close(sink.fd);
	sink.fd = fd;
	return 0;
}

static void json_text(struct str *s, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			str_fmt(s, "\\%c", c);
		else if (c < 0x20)
			str_fmt(s, "\\u%04x", c);
		else
			str_add(s, text, 1);
	}
}

static void to_file(enum log_level level, const char *text)
{
	/* A command of several containers may fail for each: standard error has the others. */
	if (sink.fd < 0 || (sink.is_json && (level != LOG_ERROR || sink.is_told)))
		return;
	sink.is_told = sink.is_told || level == LOG_ERROR;
	if (sink.daemon) {
		log_daemon_send(sink.daemon, sink.fd, sink.tag, (int)level, text);
		return;
	}
	char now[CLOCK_TEXT_MAX];
	clock_text(now);
	str_auto struct str line = STR_MAX(8192);
	if (sink.is_json) {
		str_fmt(&line, "{\"level\":\"%s\",\"msg\":\"", level_names[level]);
		json_text(&line, text);
		str_fmt(&line, "\",\"time\":\"%s\"}\n", now);
	} else {
		str_fmt(&line, "%s %s: %s\n", now, level_names[level], text);
	}
	fd_write_all(sink.fd, line.p, line.len);
}

static void __attribute__((format(printf, 2, 0))) say(enum log_level level, const char *format, va_list ap)
{
	if (level > sink.level)
		return;
	char text[1200], line[1300];
	vsnprintf(text, sizeof(text), format, ap);
	/* A log that takes them spares standard error: under create and exec that is the container's own. */
	bool is_apart = sink.fd >= 0 && !sink.is_json && level != LOG_ERROR;
	int n = snprintf(line, sizeof(line), "kist: %s%s%s\n", level == LOG_ERROR ? "" : level_names[level],
			 level == LOG_ERROR ? "" : ": ", text);
	if (n > 0 && !is_apart)
		fd_write_all(STDERR_FILENO, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
	to_file(level, text);
}

#define LOG_AT(name, level) \
	void name(const char *format, ...) \
	{ \
		va_list ap; \
		va_start(ap, format); \
		say(level, format, ap); \
		va_end(ap); \
	}

LOG_AT(log_error, LOG_ERROR)
LOG_AT(log_warn, LOG_WARN)
LOG_AT(log_info, LOG_INFO)
LOG_AT(log_debug, LOG_DEBUG)
