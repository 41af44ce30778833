/* SPDX-License-Identifier: Apache-2.0 */
/* The lists and maps of linux.resources: per-device I/O limits, huge pages, RDMA, and the free map "unified". */
#include "cgroup/limits_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cgroup/convert.h"
#include "util/mem.h"

void limits_add(struct limits_build *b, const char *key, struct cgroup_write w)
{
	struct cgroup_limits *l = b->limits;
	if (l->n == b->room) {
		b->room = b->room ? 2 * b->room : 16;
		struct cgroup_write *v = arena_array(b->arena, b->room, sizeof(*v));
		if (l->n)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v;
	}
	w.path = arena_fmt(b->arena, "%s%s", b->prefix, key);
	/* Up to 3: kist may need that many itself, with a stage and a hook. */
	l->has_last |= strcmp(w.file, PIDS_MAX) == 0 && w.value[0] >= '0' && w.value[0] <= '3' && !w.value[1];
	l->v[l->n++] = w;
}

int limits_refuse(struct limits_build *b, const char *key, int num, const char *format, ...)
{
	char words[256];
	va_list ap;
	va_start(ap, format);
	vsnprintf(words, sizeof(words), format, ap);
	va_end(ap);
	return err_new(b->e, num, "%s%s: %s", b->prefix, key, words);
}

static bool is_device(struct opt_i64 major, struct opt_i64 minor)
{
	return major.has && minor.has && major.v >= 0 && minor.v >= 0 && major.v < 1 << 12 && minor.v < 1 << 20;
}

static int plan_weights(struct limits_build *b, const struct spec_weight_devices *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_weight_device *d = &list->v[i];
		const char *key = arena_fmt(b->arena, "blockIO.weightDevice[%zu]", i);
		if (d->leaf_weight.v)
			return limits_refuse(b, key, EOPNOTSUPP, "cgroup v2 has no leafWeight: leave it out");
		if (!is_device(d->major, d->minor))
			return limits_refuse(b, key, EINVAL, "needs the major and minor number of a device");
		if (d->weight.v == 0)
			continue;
		if (d->weight.v < 10 || d->weight.v > 1000)
			return limits_refuse(b, key, EINVAL, "weight %" PRIu32 " is not between 10 and 1000",
					     d->weight.v);
		const char *dev = arena_fmt(b->arena, "%" PRId64 ":%" PRId64, d->major.v, d->minor.v);
		limits_add(b, key, (struct cgroup_write){
			.controller = "io", .file = "io.bfq.weight",
			.value = arena_fmt(b->arena, "%s %" PRIu32, dev, d->weight.v), .alt_file = "io.weight",
			.alt_value = arena_fmt(b->arena, "%s %" PRIu64, dev, convert_io_weight(d->weight.v)),
		});
	}
	return 0;
}

/* io.max takes one pair at a time and keeps the others. A rate of 0 lifts the limit, as in v1. */
static int plan_throttle(struct limits_build *b, const char *name, const char *word,
			 const struct spec_throttle_devices *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_throttle_device *d = &list->v[i];
		const char *key = arena_fmt(b->arena, "blockIO.%s[%zu]", name, i);
		if (!is_device(d->major, d->minor))
			return limits_refuse(b, key, EINVAL, "needs the major and minor number of a device");
		const char *rate = d->rate.v ? arena_fmt(b->arena, "%" PRIu64, d->rate.v) : "max";
		const char *dev = arena_fmt(b->arena, "%" PRId64 ":%" PRId64, d->major.v, d->minor.v);
		limits_add(b, key, (struct cgroup_write){
			.controller = "io", .file = "io.max", .is_default = d->rate.v == 0,
			.value = arena_fmt(b->arena, "%s %s=%s", dev, word, rate),
		});
	}
	return 0;
}

static int plan_block_io(struct limits_build *b, const struct spec_block_io *io)
{
	const struct {
		const char *name, *word;
		const struct spec_throttle_devices *list;
	} kinds[] = {
		{ "throttleReadBpsDevice", "rbps", &io->throttle_read_bps },
		{ "throttleWriteBpsDevice", "wbps", &io->throttle_write_bps },
		{ "throttleReadIOPSDevice", "riops", &io->throttle_read_iops },
		{ "throttleWriteIOPSDevice", "wiops", &io->throttle_write_iops },
	};
	int r = plan_weights(b, &io->weight_device);
	for (size_t i = 0; i < ARRAY_LEN(kinds) && r == 0; i++)
		r = plan_throttle(b, kinds[i].name, kinds[i].word, kinds[i].list);
	return r;
}

/* "2MB": digits, then a unit. It becomes part of a file's name. */
static bool is_page_size(const char *s)
{
	size_t digits = strspn(s, "0123456789");
	return digits > 0 && digits < 8 && s[digits] && strchr("KMG", s[digits]) && strcmp(s + digits + 1, "B") == 0;
}

static int plan_hugepages(struct limits_build *b, const struct spec_hugepages *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_hugepage *h = &list->v[i];
		const char *key = arena_fmt(b->arena, "hugepageLimits[%zu]", i);
		if (!h->page_size || !is_page_size(h->page_size))
			return limits_refuse(b, key, EINVAL, "pageSize must be like 2MB, got %s",
					     h->page_size ? h->page_size : "nothing");
		const char *value = arena_fmt(b->arena, "%" PRIu64, h->limit.v);
		limits_add(b, key, (struct cgroup_write){
			.controller = "hugetlb", .value = value, .alt_value = value,
			.file = arena_fmt(b->arena, "hugetlb.%s.rsvd.max", h->page_size),
			.alt_file = arena_fmt(b->arena, "hugetlb.%s.max", h->page_size),
		});
	}
	return 0;
}

static int plan_rdma(struct limits_build *b, const struct spec_rdmas *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_rdma *d = &list->v[i];
		const char *key = arena_fmt(b->arena, "rdma.%s", d->key);
		if (!*d->key || strpbrk(d->key, " \n\t"))
			return limits_refuse(b, key, EINVAL, "is not the name of a device");
		str_auto struct str s = STR_MAX(512);
		str_puts(&s, d->key);
		if (d->hca_handles.has)
			str_fmt(&s, " hca_handle=%" PRIu32, d->hca_handles.v);
		if (d->hca_objects.has)
			str_fmt(&s, " hca_object=%" PRIu32, d->hca_objects.v);
		limits_add(b, key, (struct cgroup_write){
			.controller = "rdma", .file = "rdma.max", .value = arena_str(b->arena, s.p),
		});
	}
	return 0;
}

/* A name of the form controller.word[.word...], which can lead nowhere but to a file of the group. */
static bool is_file_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz");
	if (n == 0 || s[n] != '.' || strlen(s) > 200)
		return false;
	for (s += n; *s == '.'; s += n) {
		s++;
		n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		if (n == 0)
			return false;
	}
	return !*s;
}

/* Files that act on processes. Written before there is one, they would stop or misplace what is started. */
static bool is_act(const char *file)
{
	static const char *const acts[] = { "cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze" };
	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (strcmp(file, acts[i]) == 0)
			return true;
	return false;
}

/* The controller whose file it is; NULL for core files, which PSI's "cpu.pressure" and so on are too. */
static const char *controller_of(struct arena *a, const char *file)
{
	size_t n = strcspn(file, "."), len = strlen(file);
	bool is_psi = len > 9 && strcmp(file + len - 9, ".pressure") == 0;
	return is_psi || strncmp(file, "cgroup.", 7) == 0 ? NULL : arena_strn(a, file, n);
}

static int plan_unified(struct limits_build *b, const struct pairs *map)
{
	for (size_t i = 0; i < map->n; i++) {
		const char *file = map->v[i].key;
		const char *key = arena_fmt(b->arena, "unified.%s", file);
		if (!is_file_name(file))
			return limits_refuse(b, key, EINVAL, "is not the name of a file such as memory.high");
		if (is_act(file))
			return limits_refuse(b, key, EINVAL, "acts on processes and is no limit");
		if (!map->v[i].value[strspn(map->v[i].value, "\n")])
			return limits_refuse(b, key, EINVAL, "is empty: nothing would be written");
		const char *controller = controller_of(b->arena, file);
		for (const char *line = map->v[i].value; *line; ) {
			size_t n = strcspn(line, "\n");
			if (n > 0)
				limits_add(b, key, (struct cgroup_write){
					.controller = controller, .file = file, .value = arena_strn(b->arena, line, n),
				});
			line += n + (line[n] == '\n');
		}
	}
	return 0;
}

int limits_plan_lists(struct limits_build *b, const struct spec_resources *r)
{
	int ret = r->block_io ? plan_block_io(b, r->block_io) : 0;
	if (ret == 0)
		ret = plan_hugepages(b, &r->hugepage_limits);
	if (ret == 0)
		ret = plan_rdma(b, &r->rdma);
	return ret < 0 ? ret : plan_unified(b, &r->unified);
}
