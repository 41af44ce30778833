/* SPDX-License-Identifier: Apache-2.0 */
/* kist system df: what images, containers and volumes take of the disk, under Docker's and podman's field names. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/image_cmd.h"
#include "cli/image_text.h"
#include "cli/out.h"
#include "image/digestset.h"
#include "image/du.h"
#include "image/holders.h"
#include "image/survey.h"
#include "image/usage.h"
#include "image/volumes.h"
#include "util/fd.h"

/* ---- the rows ---- */

struct sum_row {
	const char *type;
	const char *size;
	const char *reclaimable;
	const char *saved;
	int64_t total, active, size_bytes, reclaimable_bytes, saved_bytes;
};

struct image_row {
	const char *repository, *tag, *id, *created, *size, *shared, *unique;
	int64_t containers;
};

struct box_row {
	const char *id, *image, *command, *size, *created, *status;
};

struct volume_row {
	const char *name, *size;
	int64_t links;
};

/* clang-format off */
static const struct out_field sum_fields[] = {
	OUT_STR(struct sum_row, type, "Type", .header = "TYPE"),
	OUT_I64(struct sum_row, total, "Total", .header = "TOTAL", .docker = "TotalCount"),
	OUT_I64(struct sum_row, active, "Active", .header = "ACTIVE"),
	OUT_STR(struct sum_row, size, "Size", .header = "SIZE"),
	OUT_STR(struct sum_row, reclaimable, "Reclaimable", .header = "RECLAIMABLE"),
	OUT_STR(struct sum_row, saved, "Saved", .header = "SAVED"),
	OUT_I64(struct sum_row, size_bytes, "RawSize"),
	OUT_I64(struct sum_row, reclaimable_bytes, "RawReclaimable"),
	OUT_I64(struct sum_row, saved_bytes, "RawSaved"),
};

static const struct out_field image_fields[] = {
	OUT_STR(struct image_row, repository, "Repository", .header = "REPOSITORY"),
	OUT_STR(struct image_row, tag, "Tag", .header = "TAG"),
	OUT_STR(struct image_row, id, "ID", .header = "IMAGE ID"),
	OUT_STR(struct image_row, created, "CreatedSince", .header = "CREATED"),
	OUT_STR(struct image_row, size, "Size", .header = "SIZE"),
	OUT_STR(struct image_row, shared, "SharedSize", .header = "SHARED SIZE"),
	OUT_STR(struct image_row, unique, "UniqueSize", .header = "UNIQUE SIZE"),
	OUT_I64(struct image_row, containers, "Containers", .header = "CONTAINERS"),
};

static const struct out_field box_fields[] = {
	OUT_STR(struct box_row, id, "ID", .header = "CONTAINER ID"),
	OUT_STR(struct box_row, image, "Image", .header = "IMAGE"),
	OUT_STR(struct box_row, command, "Command", .header = "COMMAND"),
	OUT_STR(struct box_row, size, "Size", .header = "SIZE"),
	OUT_STR(struct box_row, created, "CreatedSince", .header = "CREATED"),
	OUT_STR(struct box_row, status, "Status", .header = "STATUS"),
};

static const struct out_field volume_fields[] = {
	OUT_STR(struct volume_row, name, "Name", .header = "VOLUME NAME"),
	OUT_I64(struct volume_row, links, "Links", .header = "LINKS"),
	OUT_STR(struct volume_row, size, "Size", .header = "SIZE"),
};
/* clang-format on */

struct df {
	const struct store *store;
	struct survey survey;
	struct usage usage;
	struct arena arena;
	struct sum_row sums[3];
	struct image_row *images;
	struct box_row *boxes;
	struct volume_row *volumes;
	size_t image_count, box_count, volume_count;
};

static uint64_t tree_bytes(const struct df *d, const char *top, const char *name)
{
	du_auto struct du du = { .bytes = 0 };
	char path[NAME_MAX + 32];
	snprintf(path, sizeof(path), "%s/%s", top, name);
	du_add(&du, d->store->dir, path);
	return du.bytes;
}

/* The names in a directory of the store, those that begin with a dot left out. */
static struct strs list_names(struct df *d, const char *path)
{
	struct strs names = { .n = 0 };
	size_t room = 0;
	int fd = openat(d->store->dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	if (!list) {
		fd_close(fd);
		return names;
	}
	for (struct dirent *de; (de = readdir(list));) {
		if (de->d_name[0] == '.')
			continue;
		if (names.n == room) {
			const char **old = names.v;
			room = room ? room * 2 : 16;
			names.v = arena_array(&d->arena, room, sizeof(*names.v));
			if (names.n)
				memcpy(names.v, old, names.n * sizeof(*names.v));
		}
		names.v[names.n++] = arena_str(&d->arena, de->d_name);
	}
	closedir(list);
	return names;
}

/* ---- images ---- */

/* Mounts, too, where it is asked whether the image can go. */
static size_t count_users(const struct df *d, const struct survey_image *im, bool has_mounts)
{
	size_t n = 0;
	for (size_t i = 0; i < d->survey.container_count; i++)
		n += survey_uses(&d->survey.containers[i], im) && (has_mounts || !d->survey.containers[i].is_mount);
	return n;
}

static void add_all(struct digests *set, const struct strs *list)
{
	for (size_t i = 0; i < list->n; i++)
		digests_add(set, list->v[i]);
}

/* What all blobs, layers, EROFS files and merged directories take, or those of a set. */
static uint64_t objects_bytes(struct df *d, const struct digests *kept)
{
	static const char *const dirs[] = { "blobs/sha256", "layers/sha256", "erofs/sha256", "flat/sha256" };
	du_auto struct du du = { .bytes = 0 };
	char path[STORE_PATH_MAX], digest[NAME_MAX + 16];
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		const struct strs names = list_names(d, dirs[i]);
		for (size_t k = 0; k < names.n; k++) {
			snprintf(digest, sizeof(digest), "sha256:%s", names.v[k]);
			if (kept && !(digest_is_valid(digest) && digests_have(kept, digest)))
				continue;
			snprintf(path, sizeof(path), "%s/%.100s", dirs[i], names.v[k]);
			du_add(&du, d->store->dir, path);
		}
	}
	return du.bytes;
}

static bool is_first(const struct survey *v, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(v->images[k].digest, v->images[i].digest) == 0)
			return false;
	return true;
}

/* What layers in common save: each counts once for every further image that has it. */
static uint64_t saved_by_layers(const struct df *d)
{
	const struct usage *u = &d->usage;
	uint64_t saved = 0;
	for (size_t n = 0; n < u->n; n++) {
		size_t users = 0;
		for (size_t i = 0; i < d->survey.image_count; i++) {
			const struct strs *layers = &d->survey.images[i].layers;
			bool has = false;
			for (size_t k = 0; k < layers->n; k++)
				has |= strcmp(layers->v[k], u->layers[n].diff_id) == 0;
			users += has && is_first(&d->survey, i);
		}
		saved += users > 1 ? (users - 1) * u->layers[n].bytes : 0;
	}
	return saved;
}

static void sum_images(struct df *d, struct sum_row *row)
{
	digests_auto struct digests kept = { .v = NULL };
	const struct survey *v = &d->survey;
	row->type = "Images";
	for (size_t i = 0; i < v->image_count; i++) {
		bool is_active = count_users(d, &v->images[i], true) > 0;
		row->total += is_first(v, i);
		row->active += is_first(v, i) && is_active;
		if (is_active) {
			add_all(&kept, &v->images[i].blobs);
			add_all(&kept, &v->images[i].layers);
		}
	}
	for (size_t i = 0; i < v->container_count; i++)
		add_all(&kept, &v->containers[i].layers);
	digests_sort(&kept);
	row->size_bytes = (int64_t)objects_bytes(d, NULL);
	row->reclaimable_bytes = row->size_bytes - (int64_t)objects_bytes(d, &kept);
	row->saved_bytes = (int64_t)(saved_by_layers(d) + d->usage.saved_bytes);
}

static uint64_t blob_bytes(const struct df *d, const char *digest)
{
	char path[STORE_PATH_MAX];
	struct stat st;
	return fstatat(d->store->dir, store_blob_path(digest, path), &st, AT_SYMLINK_NOFOLLOW) < 0 ?
		       0 :
		       (uint64_t)st.st_blocks * 512;
}

static bool has(const struct strs *list, const char *text, size_t end)
{
	for (size_t i = 0; i < end; i++)
		if (strcmp(list->v[i], text) == 0)
			return true;
	return false;
}

/* The blobs of one image; `alone`: that no other image has. */
static uint64_t blobs_bytes(const struct df *d, const struct survey_image *im, bool alone)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < im->blobs.n; i++) {
		bool is_counted = !has(&im->blobs, im->blobs.v[i], i);
		for (size_t k = 0; alone && is_counted && k < d->survey.image_count; k++) {
			const struct survey_image *other = &d->survey.images[k];
			is_counted = strcmp(other->digest, im->digest) == 0 ||
				     !has(&other->blobs, im->blobs.v[i], other->blobs.n);
		}
		bytes += is_counted ? blob_bytes(d, im->blobs.v[i]) : 0;
	}
	return bytes;
}

static void list_images(struct df *d)
{
	struct arena *a = &d->arena;
	bool *is_in = arena_array(a, d->usage.n + 1, sizeof(*is_in));
	d->images = arena_array(a, d->survey.image_count + 1, sizeof(*d->images));
	for (size_t i = 0; i < d->survey.image_count; i++) {
		const struct survey_image *im = &d->survey.images[i];
		const char *pin = im->name ? strchr(im->name, '@') : NULL;
		const char *colon = pin ? pin : im->name ? strrchr(im->name, ':') : NULL;
		memset(is_in, 0, d->usage.n * sizeof(*is_in));
		for (size_t k = 0; k < im->layers.n; k++) {
			ptrdiff_t at = usage_find(&d->usage, im->layers.v[k]);
			if (at >= 0)
				is_in[at] = true;
		}
		uint64_t all = usage_of(&d->usage, is_in, false) + blobs_bytes(d, im, false);
		/* What other images have of it, too: also those layers that it has in common with them. */
		for (size_t k = 0; k < d->survey.image_count; k++)
			for (size_t m = 0; strcmp(d->survey.images[k].digest, im->digest) != 0 &&
					   m < d->survey.images[k].layers.n;
			     m++) {
				ptrdiff_t at = usage_find(&d->usage, d->survey.images[k].layers.v[m]);
				if (at >= 0)
					is_in[at] = false;
			}
		uint64_t alone = usage_of(&d->usage, is_in, true) + blobs_bytes(d, im, true);
		d->images[d->image_count++] = (struct image_row){
			.repository = !im->name ? "<none>" :
				      colon	? arena_strn(a, im->name, (size_t)(colon - im->name)) :
						  im->name,
			.tag = !im->name || pin ? "<none>" : colon ? colon + 1 : "",
			.id = arena_strn(a, digest_hex(im->digest), 12),
			.created = image_since_text(a, im->created),
			.size = image_size_text(a, (int64_t)all),
			.shared = image_size_text(a, (int64_t)(all - alone)),
			.unique = image_size_text(a, (int64_t)alone),
			.containers = (int64_t)count_users(d, im, false),
		};
	}
}

/* ---- containers ---- */

static const struct survey_container *find_container(const struct df *d, const char *id)
{
	for (size_t i = 0; i < d->survey.container_count; i++)
		if (strcmp(d->survey.containers[i].id, id) == 0)
			return &d->survey.containers[i];
	return NULL;
}

static void sum_containers(struct df *d, const struct strs *names, struct sum_row *row)
{
	row->type = "Containers";
	d->boxes = arena_array(&d->arena, names->n + 1, sizeof(*d->boxes));
	for (size_t i = 0; i < names->n; i++) {
		const struct survey_container *c = find_container(d, names->v[i]);
		bool is_running = holder_is_running(d->store, names->v[i]);
		int64_t bytes = (int64_t)tree_bytes(d, "containers", names->v[i]);
		row->total++;
		row->active += is_running;
		row->size_bytes += bytes;
		row->reclaimable_bytes += is_running ? 0 : bytes;
		d->boxes[d->box_count++] = (struct box_row){
			.id = names->v[i],
			.image = c && c->image ? c->image : "",
			.command = c && c->command ? arena_fmt(&d->arena, "%.32s", c->command) : "",
			.size = image_size_text(&d->arena, bytes),
			.created = image_since_text(&d->arena, c ? c->created : NULL),
			.status = is_running ? "running" : "exited",
		};
	}
}

/* ---- volumes ---- */

static void sum_volumes(struct df *d, const struct strs *containers, struct sum_row *row)
{
	const struct strs names = list_names(d, "volumes");
	row->type = "Local Volumes";
	d->volumes = arena_array(&d->arena, names.n + 1, sizeof(*d->volumes));
	for (size_t i = 0; i < names.n; i++) {
		char path[NAME_MAX + 16];
		struct stat st;
		int64_t links = 0, bytes = (int64_t)tree_bytes(d, "volumes", names.v[i]);
		snprintf(path, sizeof(path), "volumes/%s", names.v[i]);
		if (fstatat(d->store->dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		for (size_t k = 0; k < containers->n; k++)
			links += volume_is_mounted_by(d->store, containers->v[k], names.v[i], &st);
		row->total++;
		row->active += links > 0;
		row->size_bytes += bytes;
		row->reclaimable_bytes += links ? 0 : bytes;
		d->volumes[d->volume_count++] = (struct volume_row){
			names.v[i], image_size_text(&d->arena, bytes), links
		};
	}
}

/* ---- the whole ---- */

static void word_sums(struct df *d)
{
	struct arena *a = &d->arena;
	for (size_t i = 0; i < ARRAY_LEN(d->sums); i++) {
		struct sum_row *row = &d->sums[i];
		int64_t percent = row->size_bytes ? row->reclaimable_bytes * 100 / row->size_bytes : 0;
		row->size = image_size_text(a, row->size_bytes);
		row->saved = image_size_text(a, row->saved_bytes);
		row->reclaimable = arena_fmt(a, "%s (%lld%%)", image_size_text(a, row->reclaimable_bytes),
					     (long long)percent);
	}
}

static int print_part(const char *title, const struct out_field *fields, size_t count, size_t row_size,
		      const void *rows, size_t n, struct err *e)
{
	const struct out_list list = { .fields = fields, .count = count, .row_size = row_size };
	printf("%s space usage:\n\n", title);
	return out_rows(&list, NULL, false, rows, n, e);
}

static int print_parts(struct df *d, struct err *e)
{
	list_images(d);
	int r = print_part("Images", image_fields, ARRAY_LEN(image_fields), sizeof(*d->images), d->images,
			   d->image_count, e);
	putchar('\n');
	if (r == 0)
		r = print_part("Containers", box_fields, ARRAY_LEN(box_fields), sizeof(*d->boxes), d->boxes,
			       d->box_count, e);
	putchar('\n');
	if (r == 0)
		r = print_part("Local Volumes", volume_fields, ARRAY_LEN(volume_fields), sizeof(*d->volumes),
			       d->volumes, d->volume_count, e);
	return r;
}

static int gather(struct df *d, struct err *e)
{
	int r = survey_read(d->store, &d->survey, e);
	if (r == 0)
		r = usage_read(d->store, &d->usage, e);
	if (r < 0)
		return r;
	const struct strs containers = list_names(d, "containers");
	sum_images(d, &d->sums[0]);
	sum_containers(d, &containers, &d->sums[1]);
	sum_volumes(d, &containers, &d->sums[2]);
	word_sums(d);
	return 0;
}

int image_cmd_df(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const struct system_df_options *o = &options->df;
	const struct out_list list = {
		.fields = sum_fields, .count = ARRAY_LEN(sum_fields), .row_size = sizeof(struct sum_row),
	};
	struct df d = { .store = s };
	(void)argc;
	(void)argv;
	if (o->verbose && o->format)
		return err_new(e, EINVAL, "options --verbose and --format exclude each other");
	int r = gather(&d, e);
	if (r == 0)
		r = o->verbose ? print_parts(&d, e) :
				 out_rows(&list, o->format, false, d.sums, ARRAY_LEN(d.sums), e);
	usage_done(&d.usage);
	survey_done(&d.survey);
	arena_done(&d.arena);
	return r;
}
