/* SPDX-License-Identifier: Apache-2.0 */
/* See resctrl.h. */
#include "cgroup/resctrl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/log.h"
#include "util/mem.h"

#define KEY "linux.intelRdt"
#define MONITORS "mon_groups"

enum { RESCTRL_MAGIC = 0x7655821, SCHEMATA_MAX = 1 << 16 };  /* linux/magic.h RDTGROUP_SUPER_MAGIC */

int resctrl_open(struct err *e)
{
	/* The place that the kernel documents and every tool uses. */
	fd_auto int fd = open("/sys/fs/resctrl", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != RESCTRL_MAGIC)
		return err_new(e, ENODEV, KEY ": no resctrl file system is mounted on /sys/fs/resctrl (the processor or "
			       "this kernel may lack it, or: mount -t resctrl none /sys/fs/resctrl)");
	return fd_take(&fd);
}

/* ---- schemata ---- */

/* One "0=f" of a line "L3:0=f;1=f". */
struct part {
	const char *resource, *domain, *value;
	size_t resource_len, domain_len, value_len;
};

struct parts {
	struct part *v;
	size_t n;
};

static const char *trim(const char *p, size_t *len)
{
	for (; *len && strchr(" \t", *p); p++)
		--*len;
	while (*len && strchr(" \t", p[*len - 1]))
		--*len;
	return p;
}

static void parse_line(const char *line, size_t len, struct parts *parts)
{
	size_t resource_len = strcspn(line, ":\n");
	if (resource_len >= len)
		return;
	const char *end = line + len, *p = line + resource_len + 1;
	const char *resource = trim(line, &resource_len);
	for (size_t n; p < end; p += n + 1) {
		n = strcspn(p, ";\n");
		size_t sign = strcspn(p, "=;\n"), value_len = sign < n ? n - sign - 1 : 0;
		struct part *part = &parts->v[parts->n];
		*part = (struct part){ .resource = resource, .resource_len = resource_len, .domain_len = sign };
		part->domain = trim(p, &part->domain_len);
		part->value = trim(p + (sign < n ? sign + 1 : n), &value_len);
		part->value_len = value_len;
		parts->n += part->domain_len && value_len;
	}
}

static struct parts parse(const char *text, struct arena *a)
{
	size_t most = 1;
	for (const char *p = text; *p; p++)
		most += *p == '=' || *p == ';';
	struct parts parts = { .v = arena_array(a, most + 1, sizeof(*parts.v)) };
	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		parse_line(text, n, &parts);
	}
	return parts;
}

/* Numbers as the kernel prints them, and as people write them: "000f", "f", "0xF". */
static bool is_same_number(const char *a, size_t a_len, const char *b, size_t b_len)
{
	const char *p[] = { a, b };
	size_t len[] = { a_len, b_len };
	for (size_t i = 0; i < 2; i++) {
		size_t skip = len[i] > 2 && p[i][0] == '0' && (p[i][1] | 0x20) == 'x' ? 2 : 0;
		while (len[i] - skip > 1 && p[i][skip] == '0')
			skip++;
		p[i] += skip;
		len[i] -= skip;
	}
	return len[0] == len[1] && strncasecmp(p[0], p[1], len[0]) == 0;
}

static bool is_same_domain(const struct part *a, const struct part *b)
{
	return a->resource_len == b->resource_len && strncmp(a->resource, b->resource, a->resource_len) == 0 &&
	       is_same_number(a->domain, a->domain_len, b->domain, b->domain_len);
}

/* The last part of this domain, which is the one that counts; NULL: none. */
static const struct part *find_part(const struct parts *parts, const struct part *like)
{
	for (size_t i = parts->n; i > 0; i--)
		if (is_same_domain(&parts->v[i - 1], like))
			return &parts->v[i - 1];
	return NULL;
}

/* config-linux.md: an existing class must have what is asked for. What is not asked for may be anything. */
static int compare(const char *wanted, const char *there, const char *clos, struct arena *a, struct err *e)
{
	const struct parts want = parse(wanted, a), has = parse(there, a);
	for (size_t i = 0; i < want.n; i++) {
		const struct part *w = find_part(&want, &want.v[i]), *h = find_part(&has, w);
		if (!h)
			return err_new(e, EINVAL, KEY ": class %s is there already, and has no %.*s:%.*s", clos,
				       (int)w->resource_len, w->resource, (int)w->domain_len, w->domain);
		if (!is_same_number(w->value, w->value_len, h->value, h->value_len))
			return err_new(e, EINVAL, KEY ": class %s is there already with %.*s:%.*s=%.*s, not %.*s", clos,
				       (int)w->resource_len, w->resource, (int)w->domain_len, w->domain,
				       (int)h->value_len, h->value, (int)w->value_len, w->value);
	}
	return 0;
}

/* ---- the plan ---- */

/* The lines of l3CacheSchema but for those of memory bandwidth, which memBwSchema alone sets: config-linux.md. */
static void put_cache_lines(struct str *out, const char *text)
{
	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		if (strncmp(text, "MB:", 3) == 0)
			log_warn(KEY ".l3CacheSchema: the line of MB: is left out, as memBwSchema is the place for it");
		else if (n)
			str_fmt(out, "%.*s\n", (int)n, text);
	}
}

static void plan_lines(const struct spec_intel_rdt *want, struct arena *a, struct resctrl *ret)
{
	str_auto struct str first = STR_MAX(SCHEMATA_MAX);
	str_auto struct str then = STR_MAX(SCHEMATA_MAX);
	if (want->l3_cache_schema)
		put_cache_lines(&first, want->l3_cache_schema);
	if (want->mem_bw_schema)
		str_fmt(&first, "%s\n", want->mem_bw_schema);
	for (size_t i = 0; i < want->schemata.n; i++)
		str_fmt(&then, "%s\n", want->schemata.v[i]);
	ret->first = first.len ? arena_strn(a, first.p, first.len) : NULL;
	ret->then = then.len ? arena_strn(a, then.p, then.len) : NULL;
}

static int check_there(int base, const struct resctrl *r, struct arena *a, struct err *e)
{
	free_auto char *there = NULL;
	const char *file = arena_fmt(a, "%s/schemata", r->clos);
	int n = file_read(base, file, SCHEMATA_MAX, false, &there, NULL);
	if (n < 0)
		return err_ret(e, n, KEY ": %s", file);
	const char *wanted = arena_fmt(a, "%s%s", r->first ? r->first : "", r->then ? r->then : "");
	return compare(wanted, there, r->clos, a, e);
}

int resctrl_plan(int base, const struct spec_intel_rdt *want, const char *id, struct arena *a, struct resctrl *ret,
		 struct err *e)
{
	struct resctrl r = { .owns_clos = !want->clos_id, .clos = id };
	if (want->clos_id)
		r.clos = strcmp(want->clos_id, "/") == 0 ? "." : want->clos_id;
	plan_lines(want, a, &r);
	bool is_there = faccessat(base, r.clos, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (is_there && r.owns_clos)
		return err_new(e, EEXIST, KEY ": a class named %s, as the container, is there already", id);
	if (!is_there && !r.owns_clos && !r.first && !r.then)
		return err_new(e, ENOENT, KEY ".closID: no class %s is there, and no schema says how to make it", r.clos);
	int n = is_there && (r.first || r.then) ? check_there(base, &r, a, e) : 0;
	if (n < 0)
		return n;
	r.makes_clos = !is_there;
	r.group = want->enable_monitoring.v ? arena_fmt(a, "%s/" MONITORS "/%s", r.clos, id) : r.clos;
	if (is_there && want->enable_monitoring.v && faccessat(base, r.group, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_new(e, EEXIST, KEY ".enableMonitoring: a group %s is there already", r.group);
	*ret = r;
	return 0;
}

/* ---- the acts ---- */

/* The kernel keeps the reason of a refusal in a file. resctrl.rst, "last_cmd_status". */
static int explain(int base, int r, const char *what, struct err *e)
{
	free_auto char *words = NULL;
	if (file_read(base, "info/last_cmd_status", 4096, false, &words, NULL) < 0 || !*words || strcmp(words, "ok\n") == 0)
		return err_ret(e, r, KEY ": %s", what);
	words[strcspn(words, "\n")] = '\0';
	return err_ret(e, r, KEY ": %s: %s", what, words);
}

static int write_lines(int base, const struct resctrl *r, struct err *e)
{
	const char *const texts[] = { r->first, r->then };
	char file[512];
	snprintf(file, sizeof(file), "%s/schemata", r->clos);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int n = texts[i] ? file_write(base, file, texts[i]) : 0;
		if (n < 0)
			return explain(base, n, file, e);
	}
	return 0;
}

int resctrl_make(int base, const struct resctrl *r, struct err *e)
{
	int n = 0;
	if (r->makes_clos && mkdirat(base, r->clos, 0755) < 0)
		return explain(base, -errno, r->clos, e);
	if (r->makes_clos)
		n = write_lines(base, r, e);
	if (n == 0 && r->group != r->clos && mkdirat(base, r->group, 0755) < 0)
		n = explain(base, -errno, r->group, e);
	if (n < 0 && r->makes_clos)
		unlinkat(base, r->clos, AT_REMOVEDIR);
	return n;
}

/* The class above a monitoring group; false: the group is a class itself. */
static bool class_of(const char *group, char *out, size_t size)
{
	const char *end = strstr(group, "/" MONITORS "/");
	snprintf(out, size, "%.*s", end ? (int)(end - group) : (int)strlen(group), group);
	return end;
}

static int add_to(int base, const char *group, pid_t pid, struct err *e)
{
	char file[512], text[16];
	snprintf(file, sizeof(file), "%s/tasks", group);
	snprintf(text, sizeof(text), "%d", (int)pid);
	int r = file_write(base, file, text);
	return r < 0 ? explain(base, r, file, e) : 0;
}

int resctrl_add(int base, const char *group, pid_t pid, struct err *e)
{
	char clos[256];
	bool is_monitored = class_of(group, clos, sizeof(clos));
	int r = add_to(base, clos, pid, e);
	return r == 0 && is_monitored ? add_to(base, group, pid, e) : r;
}

void resctrl_put_back(int base, const char *group, const char *old)
{
	char clos[256], file[512];
	class_of(group, clos, sizeof(clos));
	snprintf(file, sizeof(file), "%s/schemata", clos);
	/* The kernel shows what it takes: resctrl.rst, "schemata". */
	int r = file_write(base, file, old);
	if (r < 0)
		log_warn(KEY ": %s could not be put back: %s", file, strerror(-r));
}

int resctrl_change(int base, const char *group, const char *l3, const char *mem_bw, char **ret_old, struct err *e)
{
	const struct spec_intel_rdt want = {
		.l3_cache_schema = l3, .mem_bw_schema = mem_bw,
	};
	arena_auto struct arena a = { 0 };
	struct resctrl lines = { 0 };
	char clos[256], file[512];
	free_auto char *old = NULL;
	class_of(group, clos, sizeof(clos));
	snprintf(file, sizeof(file), "%s/schemata", clos);
	lines.clos = clos;
	plan_lines(&want, &a, &lines);
	int r = file_read(base, file, SCHEMATA_MAX, false, &old, NULL);
	if (r < 0)
		return err_ret(e, r, KEY ": %s", file);
	r = write_lines(base, &lines, e);
	if (r < 0)
		resctrl_put_back(base, group, old);
	else
		*ret_old = ptr_take(old);
	return r;
}

static int remove_dir(int base, const char *dir, struct err *e)
{
	if (unlinkat(base, dir, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return err_sys(e, KEY ": remove %s", dir);
}

int resctrl_remove(int base, const char *group, bool owns_clos, struct err *e)
{
	char clos[256];
	int r = class_of(group, clos, sizeof(clos)) ? remove_dir(base, group, e) : 0;
	return r == 0 && owns_clos ? remove_dir(base, clos, e) : r;
}

void resctrl_undo(int base, const struct resctrl *r)
{
	char file[512], byte;
	if (!r->makes_clos || r->owns_clos)
		return;
	snprintf(file, sizeof(file), "%s/tasks", r->clos);
	fd_auto int fd = openat(base, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && read(fd, &byte, 1) == 0)
		unlinkat(base, r->clos, AT_REMOVEDIR);
}
