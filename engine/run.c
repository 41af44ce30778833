/* SPDX-License-Identifier: Apache-2.0 */
/* See run.h. Bundles are in run_bundle.c, a second start in run_again.c, plans in run_plan.c. */
#include "engine/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/etc.h"
#include "engine/launch.h"
#include "engine/logfile.h"
#include "engine/packfile.h"
#include "engine/pull.h"
#include "engine/root.h"
#include "engine/run_parts.h"
#include "image/packhead.h"
#include "image/platform.h"
#include "runtime/control.h"
#include "runtime/exposed.h"
#include "runtime/launcher.h"
#include "runtime/rootless.h"
#include "spec/check.h"
#include "spec/load.h"
#include "util/clock.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/mem.h"

/* ---- parts that others share ---- */

char *run_absolute(struct arena *a, const char *path)
{
	char cwd[PATH_MAX];

	if (*path == '/' || !getcwd(cwd, sizeof(cwd)))
		return arena_str(a, path);
	return strcmp(path, ".") == 0 ? arena_str(a, cwd) : arena_fmt(a, "%s/%s", strcmp(cwd, "/") ? cwd : "", path);
}

/* -ENOENT: the image is for another platform than --platform says. */
static int check_platform(const struct run_request *rq, const struct image *im, const char *word, struct err *e)
{
	char wanted[PLATFORM_TEXT_MAX];
	struct platform_want want;
	int r = rq->platform ? platform_parse(rq->platform, &want, e) : 0;

	if (r < 0)
		return err_at(e, r, "--platform");
	const struct image_config *c = &im->config;
	if (!rq->platform || platform_fits(&want, c->os, c->arch, c->variant))
		return 0;
	platform_text(&want, wanted);
	return err_new(e, ENOENT, "image \"%s\": is for %s/%s%s%s, not for %s", word, c->os ? c->os : "any",
		       c->arch ? c->arch : "any", c->variant ? "/" : "", c->variant ? c->variant : "", wanted);
}

static int open_stored(const struct run_request *rq, struct run_source *s, struct err *e)
{
	int r = image_open_to_run(&s->store, s->image_word, &s->image, e);

	if (r < 0)
		return r;
	r = check_platform(rq, &s->image, s->image_word, e);
	if (r < 0)
		image_done(&s->image);
	return r;
}

/* A pull may have made the store itself. */
static int open_pulled(const struct run_request *rq, struct run_source *s, struct err *e)
{
	store_done(&s->store);
	s->store = STORE_NONE;
	int r = store_open(rq->store, false, &s->store, e);
	return r < 0 ? r : open_stored(rq, s, e);
}

/* An image that is there costs no system call more, unless a pull was asked for. */
static int open_image(const struct run_request *rq, enum pull_when when, struct run_source *s, struct err *e)
{
	struct err pull_err = { 0 };
	bool is_first = (when == PULL_ALWAYS || when == PULL_NEWER) && pull_is_name(s->image_word);
	int r = is_first ? pull_image(rq->store, &rq->pull_words, s->image_word, &pull_err) : 0;

	if (r < 0 && when == PULL_ALWAYS) {
		*e = pull_err;
		return r;
	}
	r = is_first ? open_pulled(rq, s, e) : open_stored(rq, s, e);
	if (r != -ENOENT || is_first || when == PULL_NEVER || !pull_is_name(s->image_word))
		return r;
	err_clear(e);
	r = pull_image(rq->store, &rq->pull_words, s->image_word, e);
	return r < 0 ? r : open_pulled(rq, s, e);
}

int run_load_source(const struct run_request *rq, bool is_plan, struct run_source *ret, struct err *e)
{
	const char *image = rq->image;

	if (rq->config_file) {
		int r = spec_load_file(AT_FDCWD, rq->config_file, &ret->file, e);
		if (r < 0)
			return err_at(e, r, "--config");
		ret->config_dir = run_absolute(&ret->arena, rq->config_file);
		*strrchr(ret->config_dir, '/') = '\0';
		image = image ? image : spec_annotation(&ret->file, COMPOSE_IMAGE);
	}
	bool is_pack = image && pack_is_word(image);
	int r = store_open(rq->store, (!image || is_pack) && !is_plan, &ret->store, e);
	if (r < 0)
		return r;
	ret->store_path = run_absolute(&ret->arena, rq->store);
	if (!image)
		return rq->platform ? err_new(e, EINVAL, "--platform: the container has no image") : 0;
	ret->image_word = image;
	r = is_pack ? packfile_image(&ret->store, run_absolute(&ret->arena, image), !is_plan, &ret->image, e) :
		      open_image(rq, is_plan ? PULL_NEVER : rq->pull, ret, e);
	ret->has_image = r == 0;
	return r < 0 || !is_pack ? r : check_platform(rq, &ret->image, image, e);
}

void run_source_done(struct run_source *s)
{
	store_done(&s->store);
	if (s->has_image && s->image.has_pack) {
		fd_close(s->image.pack);
		fd_close(s->image.pack_note);
	}
	if (s->has_image)
		image_done(&s->image);
	spec_done(&s->file);
	arena_done(&s->arena);
}

int run_open_rootfs(const struct run_source *s, struct err *e)
{
	struct arena arena_auto a = { 0 };
	const char *path = s->file.root ? s->file.root->path : "";
	const char *full = *path == '/' ? path : arena_fmt(&a, "%s/%s", s->config_dir, path);
	int fd = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "root.path %s", full) : fd;
}

/* ---- the record ---- */

/* An image's stop signal is a stranger's word: one that is none is worth a warning. */
static int stop_signal_of(const struct run_request *rq, const struct run_source *s, const char **ret, struct err *e)
{
	const char *image = s->has_image ? s->image.process->stop_signal : NULL;
	struct err ignored = { 0 };

	*ret = rq->stop_signal;
	if (rq->stop_signal)
		return signal_number(rq->stop_signal, e) < 0 ? -EINVAL : 0;
	if (image && *image && signal_number(image, &ignored) > 0)
		*ret = image;
	else if (image && *image)
		log_warn("stop signal %s of the image: unknown, TERM takes its place", image);
	return 0;
}

static void join_labels(struct arena *a, const struct run_request *rq, const struct run_source *s, struct pairs *ret)
{
	const struct pairs none = { 0 };
	const struct pairs *image = s->has_image ? &s->image.process->labels : &none;
	size_t n = 0;

	ret->v = arena_array(a, image->n + rq->labels.n, sizeof(*ret->v));
	for (size_t i = 0; i < image->n; i++) {
		bool is_replaced = false;
		for (size_t k = 0; k < rq->labels.n && !is_replaced; k++)
			is_replaced = !strcmp(rq->labels.v[k].key, image->v[i].key);
		if (!is_replaced)
			ret->v[n++] = image->v[i];
	}
	for (size_t k = 0; k < rq->labels.n; k++)
		ret->v[n++] = rq->labels.v[k];
	ret->n = n;
}

int run_write_record(const struct run_request *rq, const struct run_source *s, struct record_dir *d,
		     const struct spec *spec, const char *bundle, struct err *e)
{
	struct arena arena_auto a = { 0 };
	char now[CLOCK_TEXT_MAX];
	struct record r = {
		.image = s->image_word, .digest = s->has_image ? s->image.digest : NULL, .bundle = bundle,
		.created = clock_text(now),
		.is_rm = { rq->is_rm, rq->is_rm }, .is_input = { rq->is_input, rq->is_input },
		.is_terminal = spec->process ? spec->process->terminal : (struct opt_bool){ 0 },
		.is_detached = { rq->is_detached, rq->is_detached },
		.stop_timeout_ms = rq->stop_timeout_ms, .log_max_bytes = rq->log_max_bytes,
		.log_max_files = rq->log_max_files, .cgroup_manager = rq->cgroup_manager,
	};
	int n = stop_signal_of(rq, s, &r.stop_signal, e);

	if (n < 0)
		return n;
	if (spec->process)
		r.command = spec->process->args;
	if (!r.stop_timeout_ms.has && s->has_image && s->image.process->stop_timeout.has)
		r.stop_timeout_ms = (struct opt_i64){ true, s->image.process->stop_timeout.v * 1000 };
	join_labels(&a, rq, s, &r.labels);
	return record_write(d, &r, e);
}

int run_write_config(const struct record_dir *d, const char *text, size_t len, struct err *e)
{
	int r = file_replace(d->fd, "config.json", text, len, 0600);

	return r < 0 ? err_ret(e, r, "container %s: config.json", d->name) : 0;
}

/* Exactly as Docker: the file must not be there, and holds the name without a newline. */
int run_write_cidfile(const char *path, const char *name, struct err *e)
{
	if (!path)
		return 0;
	fd_auto int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(e, "cidfile %s", path);
	int r = fd_write_all(fd, name, strlen(name));
	if (r < 0)
		unlink(path);
	return r < 0 ? err_ret(e, r, "cidfile %s", path) : 0;
}

struct launch run_launch(const struct run_request *rq, struct create_request *create, struct spec *spec,
			 struct record_dir *dir)
{
	return (struct launch){
		.request = create, .spec = spec, .dir = dir, .is_detached = rq->is_detached, .is_rm = rq->is_rm,
		.is_input = rq->is_input, .is_keep = rq->is_keep, .is_oci = rq->is_oci,
		.log_max_bytes = rq->log_max_bytes.has ? rq->log_max_bytes.v : LOG_MAX_BYTES_DEFAULT,
		.log_max_files = rq->log_max_files.has ? (int)rq->log_max_files.v : LOG_MAX_FILES_DEFAULT,
	};
}

struct create_request run_create_request(const struct run_request *rq, const char *id, const struct spec *spec)
{
	return (struct create_request){
		.state_root = rq->state_root, .id = id, .spec = spec, .own_rootfs = -1, .stdio = { -1, -1, -1 },
		.console_socket = rq->console_socket, .pidfd_socket = rq->pidfd_socket, .pid_file = rq->pid_file,
		.preserve_fds = rq->preserve_fds,
		.is_no_pivot = rq->is_no_pivot, .is_no_keyring = rq->is_no_keyring,
		.cgroup_manager = rq->cgroup_manager, .service = rq->service, .restore = rq->restore,
	};
}

int run_place_hooks(struct create_request *create, const struct record_dir *d, const char *dir_path, struct arena *a,
		    struct err *e)
{
	if (mkdirat(d->fd, "rootfs", 0755) < 0 && errno != EEXIST)
		return err_sys(e, "container %s: rootfs", d->name);
	create->rootfs_path = arena_fmt(a, "%s/rootfs", dir_path);
	create->state_bundle = dir_path;
	return 0;
}

/* ---- one container ---- */

/* The container's layer is prepared, in the ids of the image: from here on it is seen through the container's map. */
static int map_root(const struct run_request *rq, const struct run_source *s, struct record_dir *d,
		    const struct spec *spec, int *tree, struct err *e)
{
	int r = spec_check(spec, e);

	if (r < 0)
		return r;
	/* One overlay at a time may have the upper directory. */
	fd_drop(tree);
	root_unmark(d);
	*tree = root_again(&s->store, d, spec, rq->is_rm, e);
	return *tree < 0 ? fd_take(tree) : 0;
}

/*
 * From here on the container's directory is there, and goes again on failure. -ERESTART: what it is to be is known now,
 * and that kist has to run from a read-only mount for it (exposed.h).
 */
static int run_in(const struct run_request *rq, struct run_source *s, struct record_dir *d, int *ret_status,
		  struct err *e)
{
	struct spec spec spec_auto = { 0 };
	str_auto struct str config = STR_MAX(JX_BYTES_MAX);
	const char *dir_path = arena_fmt(&s->arena, "%s/containers/%s", s->store_path, d->name);
	fd_auto int tree = s->has_image ? root_make(&s->store, d, &s->image, s->image_word, rq->is_rm, e) :
					  run_open_rootfs(s, e);
	const struct compose_place place = {
		.name = d->name, .store = &s->store, .tree = tree, .dir = d->fd, .dir_path = dir_path,
		.store_path = s->store_path,
	};

	if (tree < 0)
		return tree;
	int r = compose(&rq->options, s->has_image ? &s->image : NULL, &s->file, &place, &spec, e);
	if (r < 0)
		return r;
	if (exposed_is(&spec) && !launcher_is_sealed())
		return -ERESTART;
	if (s->has_image && root_is_mapped(&spec) && (r = map_root(rq, s, d, &spec, &tree, e)) < 0)
		return r;
	bool is_hooked = s->has_image && spec.hooks;
	if (is_hooked)
		spec.root->path = "rootfs";
	spec_print(&config, &spec, 0);
	const char *bundle = s->config_dir ? s->config_dir : dir_path;
	struct create_request create = run_create_request(rq, d->name, &spec);
	create.bundle = bundle;
	create.config = config.p;
	create.config_len = config.len;
	r = run_write_record(rq, s, d, &spec, bundle, e);
	/* What is removed at its end is never started again. */
	if (r == 0 && (rq->is_detached || !rq->is_rm || is_hooked))
		r = run_write_config(d, config.p, config.len, e);
	if (r == 0)
		r = run_write_cidfile(rq->cidfile, d->name, e);
	if (r == 0 && is_hooked)
		r = run_place_hooks(&create, d, dir_path, &s->arena, e);
	struct etc etc etc_auto = ETC_NONE;
	if (r == 0 && s->has_image)
		r = etc_add(run_absolute(&s->arena, rq->state_root), d->name, &spec, &etc, e);
	if (r < 0)
		return r;
	if (s->has_image)
		create.own_rootfs = fd_take(&tree);
	struct launch l = run_launch(rq, &create, &spec, d);
	l.etc = &etc;
	r = launch(&l, ret_status, e);
	if (r < 0 && rq->cidfile)
		unlink(rq->cidfile);
	return r;
}

int run_container(const struct run_request *rq, char ret_name[static RUN_NAME_MAX], int *ret_status, struct err *e)
{
	struct run_source s run_source_auto = { .store = STORE_NONE };
	struct record_dir d record_auto = RECORD_DIR_NONE;
	struct err ignored;
	int r = rootless_enter(NULL, e);

	if (r == 0)
		r = run_load_source(rq, false, &s, e);

	if (r == 0)
		r = record_make(&s.store, rq->name, &d, e);
	if (r < 0)
		return r;
	snprintf(ret_name, RUN_NAME_MAX, "%s", d.name);
	r = run_in(rq, &s, &d, ret_status, e);
	if (r < 0) {
		int gone = record_remove(&d, &ignored);
		if (r == -ERESTART && gone < 0)
			*e = ignored;
		return r != -ERESTART ? r : gone < 0 ? gone : launcher_seal_self(e);
	}
	return rq->is_rm && !rq->is_detached ? record_remove(&d, e) : 0;
}
