/* SPDX-License-Identifier: Apache-2.0 */
/* registries.conf: what is read and refused, and whom a name leads to. Source: containers-registries.conf(5). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/registry/hosts.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int load(struct conf *c, const char *text, const char *origin, struct err *e)
{
	return conf_add(c, text, strlen(text), origin, e);
}

/* All that a name leads to, as "NAME=HOST/PATH!~ ..." with ! for insecure and ~ for a mirror. */
static int resolve(const struct conf *c, const char *name, bool for_push, char *out, size_t room, struct err *e)
{
	struct ref ref;
	struct candidates list;
	size_t n = 0;
	int r = ref_parse(name, &ref, e);
	if (r == 0)
		r = hosts_resolve(c, &ref, for_push, &list, e);
	if (r < 0)
		return r;
	out[0] = '\0';
	for (size_t i = 0; i < list.n; i++) {
		n += (size_t)snprintf(out + n, room - n, "%s%s=", i ? " | " : "", list.v[i].name);
		for (size_t j = 0; j < list.v[i].count; j++) {
			const struct endpoint *ep = &list.v[i].endpoints[j];
			n += (size_t)snprintf(out + n, room - n, "%s%s/%s%s%s", j ? " " : "", ep->host, ep->path,
					      ep->is_insecure ? "!" : "", ep->is_mirror ? "~" : "");
		}
	}
	candidates_done(&list);
	return 0;
}

static void leads(const char *text, const char *name, const char *wanted)
{
	struct conf c = { .search_from = NULL };
	struct err e = { .num = 0 };
	char out[4096];
	if (load(&c, text, "r.conf", &e) < 0 || resolve(&c, name, false, out, sizeof(out), &e) < 0)
		fail_msg("%s: %s", name, e.text);
	assert_string_equal(out, wanted);
	conf_done(&c);
}

static void without_rules(void **state)
{
	(void)state;
	leads("", "debian", "docker.io/library/debian=registry-1.docker.io/library/debian");
	leads("", "debian:12", "docker.io/library/debian=registry-1.docker.io/library/debian");
	leads("", "a/b", "docker.io/a/b=registry-1.docker.io/a/b");
	leads("", "docker.io/debian", "docker.io/library/debian=registry-1.docker.io/library/debian");
	leads("", "index.docker.io/library/debian", "docker.io/library/debian=registry-1.docker.io/library/debian");
	leads("", "quay.io/a/b/c:1", "quay.io/a/b/c=quay.io/a/b/c");
	leads("", "localhost:5000/x@sha256:" HEX, "localhost:5000/x=localhost:5000/x");
}

static void short_names(void **state)
{
	static const char search[] = "unqualified-search-registries = ['a.test', 'docker.io']\n";
	struct conf c = { .search_from = NULL };
	struct err e = { .num = 0 };
	char out[4096];
	(void)state;
	leads(search, "x", "a.test/x=a.test/x | docker.io/library/x=registry-1.docker.io/library/x");
	leads(search, "b.test/x", "b.test/x=b.test/x");
	leads("[aliases]\nx = 'b.test/y/x'", "x:3", "b.test/y/x=b.test/y/x");
	leads("[aliases]\nx = 'b.test/y/x'", "y/x", "docker.io/y/x=registry-1.docker.io/y/x");
	leads("unqualified-search-registries = ['a.test']\nshort-name-mode = 'enforcing'", "x", "a.test/x=a.test/x");
	/* push goes to one place */
	assert_int_equal(load(&c, search, "r.conf", &e), 0);
	assert_int_equal(resolve(&c, "x", true, out, sizeof(out), &e), 0);
	assert_string_equal(out, "docker.io/library/x=registry-1.docker.io/library/x");
	/* and who enforces is not guessed at */
	assert_int_equal(load(&c, "short-name-mode = 'enforcing'", "2.conf", &e), 0);
	assert_int_equal(resolve(&c, "x", false, out, sizeof(out), &e), -EINVAL);
	assert_non_null(strstr(e.text, "a.test/x, docker.io/x"));
	conf_done(&c);
}

static void prefixes(void **state)
{
	static const char rules[] = "[[registry]]\nprefix = 'a.test'\nlocation = 'b.test/cache'\n"
				    "[[registry]]\nprefix = 'a.test/x/y'\nlocation = 'c.test:5000'\ninsecure = true\n"
				    "[[registry]]\nprefix = '*.wild.test'\nlocation = 'd.test'\n"
				    "[[registry]]\nprefix = '*.deep.wild.test'\n"
				    "[[registry]]\nlocation = 'plain.test:80'\ninsecure = true\n"
				    "[[registry]]\nprefix = 'tag.test/x:old'\nlocation = 'museum.test/x'\n";
	(void)state;
	leads(rules, "a.test/q", "a.test/q=b.test/cache/q");
	leads(rules, "a.test/x/y/z:1", "a.test/x/y/z=c.test:5000/z!");
	leads(rules, "a.test/x/yy", "a.test/x/yy=b.test/cache/x/yy");
	leads(rules, "a.test:5000/q", "a.test:5000/q=a.test:5000/q");
	leads(rules, "q.wild.test/z", "q.wild.test/z=d.test/z");
	leads(rules, "q.wild.test:99/z", "q.wild.test:99/z=d.test/z");
	leads(rules, "wild.test/z", "wild.test/z=wild.test/z");
	leads(rules, "q.deep.wild.test/z", "q.deep.wild.test/z=q.deep.wild.test/z");
	leads(rules, "plain.test:80/z", "plain.test:80/z=plain.test:80/z!");
	leads(rules, "plain.test/z", "plain.test/z=plain.test/z");
	leads(rules, "tag.test/x:old", "tag.test/x=museum.test/x");
	leads(rules, "tag.test/x:new", "tag.test/x=tag.test/x");
}

static void mirrors(void **state)
{
	static const char rules[] =
		"[[registry]]\nprefix = 'docker.io'\n[[registry.mirror]]\nlocation = 'm.test:5000/hub'\n"
		"insecure = true\n[[registry.mirror]]\nlocation = 't.test'\npull-from-mirror = 'tag-only'\n"
		"[[registry.mirror]]\nlocation = 'd.test'\npull-from-mirror = 'digest-only'\n"
		"[[registry]]\nprefix = 'e.test'\nmirror-by-digest-only = true\nmirror = [{ location = 'f.test' }]\n";
	struct conf c = { .search_from = NULL };
	struct err e = { .num = 0 };
	char out[4096];
	(void)state;
	leads(rules, "debian:12",
	      "docker.io/library/debian=m.test:5000/hub/library/debian!~ t.test/library/debian~ "
	      "registry-1.docker.io/library/debian");
	leads(rules, "debian@sha256:" HEX,
	      "docker.io/library/debian=m.test:5000/hub/library/debian!~ d.test/library/debian~ "
	      "registry-1.docker.io/library/debian");
	leads(rules, "e.test/x", "e.test/x=e.test/x");
	leads(rules, "e.test/x@sha256:" HEX, "e.test/x=f.test/x~ e.test/x");
	assert_int_equal(load(&c, rules, "r.conf", &e), 0);
	assert_int_equal(resolve(&c, "debian", true, out, sizeof(out), &e), 0);
	assert_string_equal(out, "docker.io/library/debian=registry-1.docker.io/library/debian");
	conf_done(&c);
}

static void blocked(void **state)
{
	struct conf c = { .search_from = NULL };
	struct err e = { .num = 0 };
	char out[100];
	(void)state;
	assert_int_equal(load(&c, "[[registry]]\nlocation='bad.test'\nblocked=true", "r.conf", &e), 0);
	assert_int_equal(resolve(&c, "bad.test/x", false, out, sizeof(out), &e), -EPERM);
	assert_string_equal(e.text, "bad.test/x: blocked by registries.conf (prefix bad.test)");
	conf_done(&c);
}

static void drop_ins(void **state)
{
	struct conf c = { .search_from = NULL };
	struct err e = { .num = 0 };
	char out[200];
	(void)state;
	assert_int_equal(load(&c,
			      "unqualified-search-registries=['a.test']\n[aliases]\nx='a.test/x'\ny='a.test/y'\n"
			      "[[registry]]\nlocation='p.test'\ninsecure=true\n",
			      "1.conf", &e),
			 0);
	assert_int_equal(load(&c, "[aliases]\nx='b.test/x'\ny=''\n[[registry]]\nlocation='p.test'\n", "2.conf", &e),
			 0);
	assert_int_equal(resolve(&c, "x", false, out, sizeof(out), &e), 0);
	assert_string_equal(out, "b.test/x=b.test/x");
	assert_int_equal(resolve(&c, "y", false, out, sizeof(out), &e), 0);
	assert_string_equal(out, "a.test/y=a.test/y");
	assert_int_equal(resolve(&c, "p.test/z", false, out, sizeof(out), &e), 0);
	assert_string_equal(out, "p.test/z=p.test/z");
	conf_done(&c);
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "registry = 1", "r.conf: registry: expected array" },
		{ "[[registry]]\nlocation = 1", "r.conf: registry[0].location: expected string" },
		{ "[[registry]]\ninsecure = true", "r.conf: registry[0]: neither prefix nor location" },
		{ "[[registry]]\nlocation = 'https://a.test'",
		  "r.conf: registry[0].prefix: \"https://a.test\" is not HOST" },
		{ "[[registry]]\nprefix = '*.a.test/x'", "r.conf: registry[0].prefix: \"*.a.test/x\" is not HOST" },
		{ "[[registry]]\nlocation = 'a.test'\n[[registry.mirror]]\ninsecure = true",
		  "r.conf: registry[0].mirror[0].location: " },
		{ "[[registry]]\nlocation = 'a.test'\n[[registry.mirror]]\nlocation = 'b.test'\npull-from-mirror = "
		  "'never'",
		  "r.conf: registry[0].mirror[0].pull-from-mirror: expected all, digest-only or tag-only" },
		{ "short-name-mode = 'maybe'", "r.conf: short-name-mode: expected" },
		{ "[registries.search]\nregistries = ['a.test']", "r.conf: registries: that is version 1" },
		{ "[aliases]\nx = 'y'", "r.conf: aliases.x: \"y\" is not HOST/PATH" },
		{ "[aliases]\nx = 'a.test/y:1'", "r.conf: aliases.x: \"a.test/y:1\" is not HOST/PATH" },
		{ "unqualified-search-registries = ['a b']", "r.conf: unqualified-search-registries[0]: " },
		{ "x = ", "r.conf:1: expected a value" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct conf c = { .search_from = NULL };
		struct err e = { .num = 0 };
		if (load(&c, rows[i].text, "r.conf", &e) != -EINVAL)
			fail_msg("accepted: %s", rows[i].text);
		if (strncmp(e.text, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("%s: %s", rows[i].text, e.text);
		conf_done(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rules), cmocka_unit_test(short_names), cmocka_unit_test(prefixes),
		cmocka_unit_test(mirrors),	 cmocka_unit_test(blocked),	cmocka_unit_test(drop_ins),
		cmocka_unit_test(refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
