/* SPDX-License-Identifier: Apache-2.0 */
/* See mountopt.h. */
#include "spec/mountopt.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "util/mem.h"

enum word_kind {
	NOTHING,       /* what every mount has anyway */
	ATTR_ON,       /* a bit of mount_setattr(2) */
	ATTR_OFF,
	ATIME_ON,      /* a value of its access time field */
	ATIME_OFF,     /* back to relatime, the kernel's default, if the field has this value */
	SUPER_ON,      /* a bit of the superblock, MS_* */
	SUPER_OFF,
	PROPAGATION,
	SWITCH,        /* a boolean of struct mount_options */
};

struct word {
	const char *name;
	enum word_kind kind;
	bool is_recursive;
	uint64_t bits;          /* SWITCH: offset of the boolean */
	uint64_t also;          /* ATTR_*: the superblock's bit; SWITCH: a second offset, or 0 */
};

#define AT(member) offsetof(struct mount_options, member)

/* clang-format off: one row per line */
static const struct word words[] = {
	{ "async",          SUPER_OFF,   false, MS_SYNCHRONOUS,          0 },
	{ "atime",          ATIME_OFF,   false, MOUNT_ATTR_NOATIME,      0 },
	{ "bind",           SWITCH,      false, AT(is_bind),             0 },
	{ "copy-symlink",   SWITCH,      false, AT(is_copy_symlink),     0 },
	{ "defaults",       NOTHING,     false, 0,                       0 },
	{ "dest-nofollow",  SWITCH,      false, AT(is_dest_nofollow),    0 },
	{ "dev",            ATTR_OFF,    false, MOUNT_ATTR_NODEV,        0 },
	{ "diratime",       ATTR_OFF,    false, MOUNT_ATTR_NODIRATIME,   0 },
	{ "dirsync",        SUPER_ON,    false, MS_DIRSYNC,              0 },
	{ "exec",           ATTR_OFF,    false, MOUNT_ATTR_NOEXEC,       0 },
	{ "idmap",          SWITCH,      false, AT(is_idmap),            0 },
	{ "iversion",       SUPER_ON,    false, MS_I_VERSION,            0 },
	{ "lazytime",       SUPER_ON,    false, MS_LAZYTIME,             0 },
	{ "loud",           SUPER_OFF,   false, MS_SILENT,               0 },
	{ "mand",           SUPER_ON,    false, MS_MANDLOCK,             0 },
	{ "noatime",        ATIME_ON,    false, MOUNT_ATTR_NOATIME,      0 },
	{ "nodev",          ATTR_ON,     false, MOUNT_ATTR_NODEV,        0 },
	{ "nodiratime",     ATTR_ON,     false, MOUNT_ATTR_NODIRATIME,   0 },
	{ "noexec",         ATTR_ON,     false, MOUNT_ATTR_NOEXEC,       0 },
	{ "noiversion",     SUPER_OFF,   false, MS_I_VERSION,            0 },
	{ "nolazytime",     SUPER_OFF,   false, MS_LAZYTIME,             0 },
	{ "nomand",         SUPER_OFF,   false, MS_MANDLOCK,             0 },
	{ "norelatime",     ATIME_OFF,   false, MOUNT_ATTR_RELATIME,     0 },
	{ "nostrictatime",  ATIME_OFF,   false, MOUNT_ATTR_STRICTATIME,  0 },
	{ "nosuid",         ATTR_ON,     false, MOUNT_ATTR_NOSUID,       0 },
	{ "nosymfollow",    ATTR_ON,     false, MOUNT_ATTR_NOSYMFOLLOW,  0 },
	{ "private",        PROPAGATION, false, MS_PRIVATE,              0 },
	{ "ratime",         ATIME_OFF,   true,  MOUNT_ATTR_NOATIME,      0 },
	{ "rbind",          SWITCH,      false, AT(is_bind),             AT(is_rbind) },
	{ "rdev",           ATTR_OFF,    true,  MOUNT_ATTR_NODEV,        0 },
	{ "rdiratime",      ATTR_OFF,    true,  MOUNT_ATTR_NODIRATIME,   0 },
	{ "relatime",       ATIME_ON,    false, MOUNT_ATTR_RELATIME,     0 },
	{ "remount",        SWITCH,      false, AT(is_remount),          0 },
	{ "rexec",          ATTR_OFF,    true,  MOUNT_ATTR_NOEXEC,       0 },
	{ "ridmap",         SWITCH,      false, AT(is_idmap),            AT(is_ridmap) },
	{ "rnoatime",       ATIME_ON,    true,  MOUNT_ATTR_NOATIME,      0 },
	{ "rnodev",         ATTR_ON,     true,  MOUNT_ATTR_NODEV,        0 },
	{ "rnodiratime",    ATTR_ON,     true,  MOUNT_ATTR_NODIRATIME,   0 },
	{ "rnoexec",        ATTR_ON,     true,  MOUNT_ATTR_NOEXEC,       0 },
	{ "rnorelatime",    ATIME_OFF,   true,  MOUNT_ATTR_RELATIME,     0 },
	{ "rnostrictatime", ATIME_OFF,   true,  MOUNT_ATTR_STRICTATIME,  0 },
	{ "rnosuid",        ATTR_ON,     true,  MOUNT_ATTR_NOSUID,       0 },
	{ "rnosymfollow",   ATTR_ON,     true,  MOUNT_ATTR_NOSYMFOLLOW,  0 },
	{ "ro",             ATTR_ON,     false, MOUNT_ATTR_RDONLY,       MS_RDONLY },
	{ "rprivate",       PROPAGATION, true,  MS_PRIVATE,              0 },
	{ "rrelatime",      ATIME_ON,    true,  MOUNT_ATTR_RELATIME,     0 },
	{ "rro",            ATTR_ON,     true,  MOUNT_ATTR_RDONLY,       0 },
	{ "rrw",            ATTR_OFF,    true,  MOUNT_ATTR_RDONLY,       0 },
	{ "rshared",        PROPAGATION, true,  MS_SHARED,               0 },
	{ "rslave",         PROPAGATION, true,  MS_SLAVE,                0 },
	{ "rstrictatime",   ATIME_ON,    true,  MOUNT_ATTR_STRICTATIME,  0 },
	{ "rsuid",          ATTR_OFF,    true,  MOUNT_ATTR_NOSUID,       0 },
	{ "rsymfollow",     ATTR_OFF,    true,  MOUNT_ATTR_NOSYMFOLLOW,  0 },
	{ "runbindable",    PROPAGATION, true,  MS_UNBINDABLE,           0 },
	{ "rw",             ATTR_OFF,    false, MOUNT_ATTR_RDONLY,       MS_RDONLY },
	{ "shared",         PROPAGATION, false, MS_SHARED,               0 },
	{ "silent",         SUPER_ON,    false, MS_SILENT,               0 },
	{ "slave",          PROPAGATION, false, MS_SLAVE,                0 },
	{ "src-nofollow",   SWITCH,      false, AT(is_src_nofollow),     0 },
	{ "strictatime",    ATIME_ON,    false, MOUNT_ATTR_STRICTATIME,  0 },
	{ "suid",           ATTR_OFF,    false, MOUNT_ATTR_NOSUID,       0 },
	{ "symfollow",      ATTR_OFF,    false, MOUNT_ATTR_NOSYMFOLLOW,  0 },
	{ "sync",           SUPER_ON,    false, MS_SYNCHRONOUS,          0 },
	{ "tmpcopyup",      SWITCH,      false, AT(is_tmpcopyup),        0 },
	{ "unbindable",     PROPAGATION, false, MS_UNBINDABLE,           0 },
};
/* clang-format on */

const char *mount_option_word(size_t i)
{
	return i < ARRAY_LEN(words) ? words[i].name : NULL;
}

/* The rows are in alphabetical order; the test of this module holds them to it. */
static const struct word *find(const char *name)
{
	size_t low = 0, high = ARRAY_LEN(words);
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, words[middle].name);
		if (order == 0)
			return &words[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Moves bits from one mask to the other: the last word wins. */
static void move_bits(uint64_t bits, uint64_t *to, uint64_t *from)
{
	*to |= bits;
	*from &= ~bits;
}

static void apply_attr(const struct word *w, struct mount_options *o)
{
	uint64_t *set = w->is_recursive ? &o->rec_set : &o->attr_set;
	uint64_t *clr = w->is_recursive ? &o->rec_clr : &o->attr_clr;
	if (w->kind == ATTR_ON)
		move_bits(w->bits, set, clr);
	else
		move_bits(w->bits, clr, set);
}

static void apply_super(const struct word *w, unsigned long bits, struct mount_options *o)
{
	bool is_on = w->kind == SUPER_ON || w->kind == ATTR_ON;
	o->super_set = is_on ? o->super_set | bits : o->super_set & ~bits;
	o->super_clr = is_on ? o->super_clr & ~bits : o->super_clr | bits;
}

/* mount_setattr(2): the access time is an enumeration, so all of it is cleared whatever is set. */
static void apply_atime(const struct word *w, struct mount_options *o)
{
	uint64_t *set = w->is_recursive ? &o->rec_set : &o->attr_set;
	uint64_t *clr = w->is_recursive ? &o->rec_clr : &o->attr_clr;
	bool was_given = *clr & MOUNT_ATTR__ATIME;
	if (w->kind == ATIME_OFF && was_given && (*set & MOUNT_ATTR__ATIME) != w->bits)
		return;
	*set &= ~(uint64_t)MOUNT_ATTR__ATIME;
	if (w->kind == ATIME_ON)
		*set |= w->bits;
	*clr |= MOUNT_ATTR__ATIME;
}

static int apply_propagation(const struct word *w, struct mount_options *o, struct err *e)
{
	if (o->propagation_count == MOUNT_PROPAGATIONS_MAX)
		return err_new(e, EINVAL, "more than %d propagation words", MOUNT_PROPAGATIONS_MAX);
	o->propagation[o->propagation_count++] =
		(struct mount_propagation){ .type = w->bits, .is_recursive = w->is_recursive };
	return 0;
}

static void apply_switch(const struct word *w, struct mount_options *o)
{
	*(bool *)((char *)o + w->bits) = true;
	if (w->also)
		*(bool *)((char *)o + w->also) = true;
}

static int apply(const struct word *w, struct mount_options *o, struct err *e)
{
	switch (w->kind) {
	case NOTHING:
		break;
	case ATTR_ON:
	case ATTR_OFF:
		apply_attr(w, o);
		if (w->also)
			apply_super(w, w->also, o);
		break;
	case ATIME_ON:
	case ATIME_OFF:
		apply_atime(w, o);
		break;
	case SUPER_ON:
	case SUPER_OFF:
		apply_super(w, w->bits, o);
		break;
	case PROPAGATION:
		return apply_propagation(w, o, e);
	case SWITCH:
		apply_switch(w, o);
		break;
	}
	return 0;
}

/* The nearest known word to one that a bind mount cannot have. */
static int refuse_data(const char *word, struct err *e)
{
	struct jx_word names[ARRAY_LEN(words) + 1] = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		names[i].name = words[i].name;
	const char *near = jx_nearest(names, word);
	str_auto struct str quoted = STR_MAX(ERR_TEXT_MAX / 2);
	jx_print_string(&quoted, word);
	if (near)
		return err_new(e, EINVAL, "unknown option %s for a bind mount (did you mean \"%s\"?)",
			       quoted.p, near);
	return err_new(e, EINVAL, "unknown option %s for a bind mount, which takes no file system options",
		       quoted.p);
}

/*
 * The first word that is neither in the table nor KEY=VALUE, or NULL. On a bind mount a value is somebody's habit
 * ("size=64k"), which has no effect; a bare word may be a flag misspelt, which would be a hole.
 */
static const char *first_bare(const struct strs *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!find(list->v[i]) && !strchr(list->v[i], '='))
			return list->v[i];
	return NULL;
}

/* Joins the words that are not in the table by commas. */
static const char *join_data(const struct strs *list, struct arena *arena)
{
	size_t len = 1;
	for (size_t i = 0; i < list->n; i++)
		len += strlen(list->v[i]) + 1;
	char *data = arena_alloc(arena, len), *end = data;
	for (size_t i = 0; i < list->n; i++) {
		const char *word = list->v[i];
		if (find(word))
			continue;
		if (end != data)
			*end++ = ',';
		memcpy(end, word, strlen(word));
		end += strlen(word);
	}
	return data;
}

int mount_options_parse(const struct strs *list, struct arena *arena, struct mount_options *ret,
			struct err *e)
{
	struct mount_options o = { .data = "" };
	bool has_data = false;
	for (size_t i = 0; i < list->n; i++) {
		const struct word *w = find(list->v[i]);
		if (!*list->v[i])
			return err_new(e, EINVAL, "an empty option");
		has_data = has_data || !w;
		int r = w ? apply(w, &o, e) : 0;
		if (r < 0)
			return r;
	}
	const char *bare = has_data && o.is_bind ? first_bare(list) : NULL;
	if (bare)
		return refuse_data(bare, e);
	if (has_data)
		o.data = join_data(list, arena);
	*ret = o;
	return 0;
}
