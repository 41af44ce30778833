/* SPDX-License-Identifier: Apache-2.0 */
/* The request of criu.h, field by field. The numbers are those of criu_opts in rpc.proto. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/criu.h"
#include "util/fd.h"
#include "util/num.h"
#include "util/pb.h"

/* criu's "lots of debug": what went before an error is what explains it. */
enum { LOG_LEVEL = 4, PATH_BYTES = 4096 };

/* An administrator's own settings, as runc and crun have theirs. */
#define DEFAULT_CONFIG "/etc/criu/kist.conf"

static int open_dir(const char *path, bool make, const char *what, struct err *e)
{
	if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "%s %s", what, path);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "%s %s", what, path) : fd;
}

int criu_dirs_open(const struct criu_options *o, bool make, const char *log_name, struct criu_dirs *ret,
		   struct err *e)
{
	struct criu_dirs d criu_dirs_auto = CRIU_DIRS_NONE;
	d.log_name = log_name;
	d.image_path = o->image_path;
	d.work_path = o->work_path ? o->work_path : o->image_path;
	d.images = open_dir(o->image_path, make, "image path", e);
	if (d.images < 0)
		return d.images;
	/* The log is written in either case, so its directory is made in either case. */
	d.work = open_dir(d.work_path, true, "work path", e);
	if (d.work < 0)
		return d.work;
	*ret = d;
	d = CRIU_DIRS_NONE;
	return 0;
}

void criu_dirs_done(struct criu_dirs *d)
{
	fd_drop(&d->images);
	fd_drop(&d->work);
}

const char *criu_config_file(const struct pairs *annotations)
{
	for (size_t i = 0; i < annotations->n; i++)
		if (strcmp(annotations->v[i].key, "org.criu.config") == 0)
			return annotations->v[i].value;
	return NULL;
}

void criu_put_external(struct str *opts, const char *format, ...)
{
	char text[2 * PATH_BYTES + 64];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	pb_text(opts, 37, text);
}

void criu_put_inherit(struct str *opts, const char *resource, int fd)
{
	str_auto struct str one = STR_MAX(PATH_BYTES);
	pb_text(&one, 1, resource);
	pb_number(&one, 2, fd);
	pb_bytes(opts, 27, one.p, one.len);
}

static int put_page_server(struct str *opts, const char *text, struct err *e)
{
	const char *colon = strrchr(text, ':');
	const char *p = colon ? colon + 1 : "";
	uint64_t port;
	if (!colon || colon == text || !num_take(&p, &port) || *p || port == 0 || port > 65535)
		return err_new(e, EINVAL, "page server %s: expected ADDRESS:PORT", text);
	str_auto struct str ps = STR_MAX(PATH_BYTES);
	pb_bytes(&ps, 1, text, (size_t)(colon - text));
	pb_number(&ps, 2, (int64_t)port);
	pb_bytes(opts, 11, ps.p, ps.len);
	return 0;
}

int criu_put_common(struct str *opts, const struct criu_options *o, const struct criu_dirs *d, struct err *e)
{
	pb_number(opts, 1, d->images);
	pb_flag(opts, 4, o->ext_unix_sk);
	pb_flag(opts, 5, o->tcp_established);
	pb_flag(opts, 7, o->shell_job);
	pb_flag(opts, 8, o->file_locks);
	pb_number(opts, 9, LOG_LEVEL);
	pb_text(opts, 10, d->log_name);
	pb_flag(opts, 12, true);
	pb_flag(opts, 16, o->auto_dedup);
	pb_number(opts, 17, d->work);
	pb_flag(opts, 24, true);
	pb_number(opts, 34, (int64_t)o->cgroups);
	if (o->is_network_empty)
		pb_number(opts, 38, CLONE_NEWNET);
	pb_flag(opts, 48, o->lazy_pages);
	pb_flag(opts, 50, true);
	if (o->config_file || access(DEFAULT_CONFIG, F_OK) == 0)
		pb_text(opts, 51, o->config_file ? o->config_file : DEFAULT_CONFIG);
	if (o->network_lock)
		pb_number(opts, 64, (int64_t)o->network_lock);
	return o->page_server ? put_page_server(opts, o->page_server, e) : 0;
}
