/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See devices.h. Rules are first put in the order of decision (the last comes first) and made fewer; what is left
 * becomes code. Each instruction costs two or three microseconds in the kernel's verifier and compiler at each start.
 */
#include "cgroup/devices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup/devices_code.h"
#include "util/mem.h"

/* More rules than this would exceed the reach of a jump. */
enum { RULES_MAX = 2000 };

static const struct device_rule defaults[] = {
	{ DEVICE_CHAR | DEVICE_BLOCK, DEVICE_MKNOD, true, DEVICE_ANY, DEVICE_ANY },
	{ DEVICE_CHAR, DEVICE_RWM, true, 1, 3 },      /* null */
	{ DEVICE_CHAR, DEVICE_RWM, true, 1, 5 },      /* zero */
	{ DEVICE_CHAR, DEVICE_RWM, true, 1, 7 },      /* full */
	{ DEVICE_CHAR, DEVICE_RWM, true, 1, 8 },      /* random */
	{ DEVICE_CHAR, DEVICE_RWM, true, 1, 9 },      /* urandom */
	{ DEVICE_CHAR, DEVICE_RWM, true, 5, 0 },      /* tty */
	{ DEVICE_CHAR, DEVICE_RWM, true, 5, 1 },      /* console */
	{ DEVICE_CHAR, DEVICE_RWM, true, 5, 2 },      /* ptmx */
	{ DEVICE_CHAR, DEVICE_RWM, true, 136, DEVICE_ANY },  /* pts/N */
	{ DEVICE_CHAR, DEVICE_RWM, true, 10, 200 },   /* net/tun */
};

static int read_number(struct opt_i64 v, int64_t max, int64_t *ret_number)
{
	if (v.has && (v.v < -1 || v.v > max))
		return -EINVAL;
	*ret_number = v.has ? v.v : DEVICE_ANY;
	return 0;
}

static int read_access(const char *access, uint32_t *ret_access)
{
	uint32_t bits = access ? 0 : DEVICE_RWM;
	for (const char *p = access; p && *p; p++) {
		uint32_t bit = *p == 'r' ? DEVICE_READ : *p == 'w' ? DEVICE_WRITE : *p == 'm' ? DEVICE_MKNOD : 0;
		if (!bit)
			return -EINVAL;
		bits |= bit;
	}
	*ret_access = bits;
	return bits ? 0 : -EINVAL;
}

/* 1: a rule; 0: one that concerns no device. */
static int read_rule(const struct spec_device_rule *from, struct device_rule *ret_rule, const char **ret_key)
{
	static const struct { int word; uint32_t types; } types[] = {
		{ 0, DEVICE_CHAR | DEVICE_BLOCK }, { 'a', DEVICE_CHAR | DEVICE_BLOCK },
		{ 'b', DEVICE_BLOCK }, { 'c', DEVICE_CHAR }, { 'u', DEVICE_CHAR }, { 'p', 0 },
	};
	struct device_rule rule = { .is_allow = from->allow.v };
	size_t t = 0;
	while (t < ARRAY_LEN(types) && types[t].word != from->type)
		t++;
	*ret_key = t == ARRAY_LEN(types) ? "type" : NULL;
	if (read_number(from->major, (1 << 12) - 1, &rule.major) < 0)
		*ret_key = "major";
	if (read_number(from->minor, (1 << 20) - 1, &rule.minor) < 0)
		*ret_key = "minor";
	if (read_access(from->access, &rule.access) < 0)
		*ret_key = "access";
	if (*ret_key)
		return -EINVAL;
	rule.types = types[t].types;
	*ret_rule = rule;
	return rule.types != 0;
}

/* Whether whatever `b` decides has been decided by `a`. */
static bool covers(const struct device_rule *a, const struct device_rule *b)
{
	return (b->types & ~a->types) == 0 && (b->access & ~a->access) == 0 &&
	       (a->major == DEVICE_ANY || a->major == b->major) && (a->minor == DEVICE_ANY || a->minor == b->minor);
}

static bool is_total(const struct device_rule *r)
{
	return r->types == (DEVICE_CHAR | DEVICE_BLOCK) && r->access == DEVICE_RWM && r->major == DEVICE_ANY &&
	       r->minor == DEVICE_ANY;
}

/* Adds a rule of lower rank. False: it decides everything that is left, so that no more can follow. */
static bool add_rule(struct device_rules *list, const struct device_rule *rule)
{
	if (is_total(rule)) {
		list->is_open = rule->is_allow;
		return false;
	}
	for (size_t i = 0; i < list->n; i++)
		if (covers(&list->v[i], rule))
			return true;
	list->v[list->n++] = *rule;
	return true;
}

/* Drops from v[0..n) what another of these rules, all of one verdict, covers. Returns how many stay. */
static size_t drop_covered(struct device_rule *v, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		bool is_covered = false;
		for (size_t j = i + 1; j < n && !is_covered; j++)
			is_covered = covers(&v[j], &v[i]);
		if (!is_covered)
			v[kept++] = v[i];
	}
	return kept;
}

/* Neighbours of the same verdict may change places: sorted, they share comparisons. */
static int compare_rules(const void *pa, const void *pb)
{
	const struct device_rule *a = pa, *b = pb;
	const int64_t key[][2] = {
		{ -(int64_t)a->types, -(int64_t)b->types }, { a->major, b->major }, { a->access, b->access },
		{ a->minor, b->minor },
	};
	for (size_t i = 0; i < ARRAY_LEN(key); i++)
		if (key[i][0] != key[i][1])
			return key[i][0] < key[i][1] ? -1 : 1;
	return 0;
}

static void order_rules(struct device_rules *list)
{
	/* What agrees with the verdict at the end says nothing new there. */
	while (list->n > 0 && list->v[list->n - 1].is_allow == list->is_open)
		list->n--;
	size_t kept = 0;
	for (size_t i = 0, end; i < list->n; i = end) {
		for (end = i + 1; end < list->n && list->v[end].is_allow == list->v[i].is_allow;)
			end++;
		size_t n = drop_covered(list->v + i, end - i);
		qsort(list->v + i, n, sizeof(*list->v), compare_rules);
		memmove(list->v + kept, list->v + i, n * sizeof(*list->v));
		kept += n;
	}
	list->n = kept;
}

int devices_build(const struct spec_device_rules *rules, bool with_defaults, const char *prefix, struct arena *a,
		  struct devices_program *ret_program, struct err *e)
{
	struct device_rules list = { 0 };
	bool is_going_on = true;
	if (rules->n > RULES_MAX)
		return err_new(e, EINVAL, "%sdevices: %zu rules are more than %d", prefix, rules->n, RULES_MAX);
	list.v = arena_array(a, rules->n + ARRAY_LEN(defaults), sizeof(*list.v));
	for (size_t i = 0; with_defaults && i < ARRAY_LEN(defaults); i++)
		add_rule(&list, &defaults[i]);
	for (size_t i = rules->n; i-- > 0;) {
		struct device_rule rule;
		const char *key;
		int r = read_rule(&rules->v[i], &rule, &key);
		if (r < 0)
			return err_new(e, EINVAL, "%sdevices[%zu].%s: not a value that a device can have", prefix, i,
				       key);
		if (r > 0 && is_going_on)
			is_going_on = add_rule(&list, &rule);
	}
	order_rules(&list);
	devices_code(&list, a, ret_program);
	return 0;
}
