/* SPDX-License-Identifier: Apache-2.0 */
/* kist commit, diff and export, as far as bytes go: cli/cmd_files.c hands the container's files over as descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/image_cmd.h"
#include "image/snapshot.h"
#include "image/tarwrite.h"
#include "util/fd.h"
#include "util/jx.h"
#include "util/outfile.h"
#include "util/proc.h"

enum { LIST_MAX = 1 << 30 };

/* A descriptor that kist has opened for us; nothing that we execute is to have it. */
static int take_fd(struct opt_num given, const char *name, int *ret_fd, struct err *e)
{
	if (!given.is_set)
		return err_new(e, EINVAL, "option --%s: kist itself gives it", name);
	*ret_fd = (int)given.value;
	return fcntl(*ret_fd, F_SETFD, FD_CLOEXEC) < 0 ? err_sys(e, "option --%s", name) : 0;
}

static int take_upper(const struct files_options *o, struct upper *ret_upper, struct err *e)
{
	*ret_upper = (struct upper){
		.lower = -1,
		.is_user = geteuid() != 0 || proc_is_in_userns(),
		.is_live = o->live,
		.mounts = o->mounts.items,
		.mount_count = o->mounts.count,
	};
	int r = take_fd(o->upper, "upper", &ret_upper->dir, e);
	return r < 0 || !o->lower.is_set ? r : take_fd(o->lower, "lower", &ret_upper->lower, e);
}

/* ---- commit ---- */

static int write_iid(const char *path, const char *digest, struct err *e)
{
	struct outfile out outfile_auto = OUTFILE_NONE;
	int r = outfile_open(path, &out, e);
	if (r < 0)
		return r;
	r = fd_write_all(out.fd, digest, strlen(digest));
	return r < 0 ? err_ret(e, r, "%s", path) : outfile_finish(&out, e);
}

int image_cmd_files_commit(const struct store *s, const union image_options *options, int argc, char **argv,
			  struct err *e)
{
	const struct files_options *o = &options->files;
	struct snapshot_request request = {
		.digest = o->digest,
		.name = argc ? argv[0] : NULL,
		.author = o->author,
		.message = o->message,
		.created_by = o->created_by,
		.changes = o->changes.items,
		.change_count = o->changes.count,
		/* It is no stranger's archive, and may hold what a container has made, however large. */
		.options = { .limits = { UINT64_MAX, UINT64_MAX, UINT64_MAX },
			     .style = progress_style(o->quiet, false),
			     .verb = "committing" },
	};
	if (!o->digest)
		return err_new(e, EINVAL, "option --digest: kist itself gives it");
	int r = take_upper(o, &request.upper, e);
	if (r == 0)
		r = image_snapshot(s, &request, e);
	if (r == 0 && o->iidfile)
		r = write_iid(o->iidfile, request.result, e);
	if (r == 0)
		puts(request.result);
	return r < 0 ? err_at(e, r, "commit") : 0;
}

/* ---- diff ---- */

struct list {
	bool is_json;
	struct str text[3]; /* by enum change; the first alone holds all lines */
};

static const struct {
	char letter;
	const char *key; /* podman's */
} kinds[] = {
	[CHANGE_ADDED] = { 'A', "added" },
	[CHANGE_MODIFIED] = { 'C', "changed" },
	[CHANGE_DELETED] = { 'D', "deleted" },
};

/* A name with bytes that would move a terminal's cursor is shown without them. */
static void put_line(struct str *text, char letter, const char *path)
{
	str_fmt(text, "%c /", letter);
	for (const char *p = path; *p; p++)
		str_add(text, (unsigned char)*p < 0x20 || *p == 0x7f ? "?" : p, 1);
	str_puts(text, "\n");
}

static void put_json(struct str *text, const char *path)
{
	free_auto char *whole = mem_fmt("/%s", path);
	if (text->len)
		str_puts(text, ",");
	jx_print_string(text, whole);
}

static int list_change(void *ctx, const struct upper_entry *en, struct err *e)
{
	struct list *l = ctx;
	struct str *text = &l->text[l->is_json ? en->change : 0];
	if (strcmp(en->path, ".") == 0)
		return 0;
	if (l->is_json)
		put_json(text, en->path);
	else
		put_line(text, kinds[en->change].letter, en->path);
	return text->is_full ? err_new(e, E2BIG, "more changes than can be listed") : 0;
}

int image_cmd_files_diff(const struct store *s, const union image_options *options, int argc, char **argv,
			struct err *e)
{
	const struct files_options *o = &options->files;
	struct list l = { .is_json = o->format && strcmp(o->format, "json") == 0 };
	struct upper upper;
	(void)s;
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < ARRAY_LEN(l.text); i++)
		l.text[i] = STR_MAX(LIST_MAX);
	int r = take_upper(o, &upper, e);
	if (r == 0)
		r = upper_walk(&upper, list_change, &l, e);
	if (r == 0 && !l.is_json)
		fwrite(l.text[0].len ? l.text[0].p : "", 1, l.text[0].len, stdout);
	for (size_t i = 0; r == 0 && l.is_json && i < ARRAY_LEN(l.text); i++)
		printf("%s\"%s\":[%s]%s", i ? "," : "{", kinds[i].key, l.text[i].len ? l.text[i].p : "",
		       i + 1 < ARRAY_LEN(l.text) ? "" : "}\n");
	for (size_t i = 0; i < ARRAY_LEN(l.text); i++)
		str_done(&l.text[i]);
	return r < 0 ? err_at(e, r, "diff") : 0;
}

/* ---- export ---- */

static int export(int view, bool is_live, struct outfile *out, struct err *e)
{
	struct tarout tar;
	struct treeout tree;
	tarout_open(&tar, tarout_to_fd, &out->fd);
	treeout_open(&tree, &tar);
	tree.is_live = is_live;
	int r = tar_write_tree(view, &tree, e);
	treeout_done(&tree);
	tarout_done(&tar);
	return r < 0 ? r : outfile_finish(out, e);
}

int image_cmd_files_export(const struct store *s, const union image_options *options, int argc, char **argv,
			  struct err *e)
{
	const struct files_options *o = &options->files;
	struct outfile out outfile_auto = OUTFILE_NONE;
	int view;
	(void)s;
	(void)argc;
	(void)argv;
	if ((!o->output || strcmp(o->output, "-") == 0) && isatty(STDOUT_FILENO))
		return err_new(e, EINVAL, "export: no archive is written to a terminal: use -o FILE, or a pipe");
	int r = take_fd(o->view, "view", &view, e);
	if (r == 0)
		r = outfile_open(o->output, &out, e);
	if (r == 0)
		r = export(view, o->live, &out, e);
	return r < 0 ? err_at(e, r, "export") : 0;
}
