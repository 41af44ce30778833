/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies: scopes and identities by the rules of containers-policy.json(5), what is refused in a file, payloads of
 * signatures, sections of registries.d, base64.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/trust/identity.h"
#include "image/trust/payload.h"
#include "image/trust/registriesd.h"
#include "image/trust/scope.h"
#include "util/base64.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void all_scopes_of_a_name_in_their_order(void **state)
{
	static const struct {
		const char *name;
		const char *scopes[12];
	} rows[] = {
		{ "busybox",
		  { "docker.io/library/busybox:latest", "docker.io/library/busybox", "docker.io/library", "docker.io",
		    "*.io" } },
		{ "docker.io/a/b:1", { "docker.io/a/b:1", "docker.io/a/b", "docker.io/a", "docker.io", "*.io" } },
		{ "reg.example.com:5000/x/y:t",
		  { "reg.example.com:5000/x/y:t", "reg.example.com:5000/x/y", "reg.example.com:5000/x",
		    "reg.example.com:5000", "*.example.com", "*.com" } },
		{ "localhost:5000/x@sha256:" HEX,
		  { "localhost:5000/x@sha256:" HEX, "localhost:5000/x", "localhost:5000" } },
		/* beside a digest, a tag says nothing */
		{ "localhost/x:1@sha256:" HEX, { "localhost/x@sha256:" HEX, "localhost/x", "localhost" } },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		arena_auto struct arena arena = { .top = NULL };
		struct ref ref;
		struct err e;
		struct scope_list list;
		assert_int_equal(ref_parse(rows[i].name, &ref, &e), 0);
		scope_list_make(&(struct trust_subject){ .transport = "docker", .ref = &ref }, &arena, &list);
		for (size_t j = 0; j < list.n; j++) {
			assert_non_null(rows[i].scopes[j]);
			assert_string_equal(list.v[j], rows[i].scopes[j]);
		}
		assert_null(rows[i].scopes[list.n]);
	}
}

static void all_scopes_of_a_path_in_their_order(void **state)
{
	arena_auto struct arena arena = { .top = NULL };
	struct scope_list list;
	static const char *const want[] = { "/a/b/lay:reg.test:5000/x:1", "/a/b/lay", "/a/b", "/a" };
	(void)state;
	scope_list_make(&(struct trust_subject){ .transport = "oci", .path = "/a/b/lay", .tag = "reg.test:5000/x:1" },
			&arena, &list);
	assert_int_equal(list.n, ARRAY_LEN(want));
	for (size_t i = 0; i < list.n; i++)
		assert_string_equal(list.v[i], want[i]);
	/* without a tag; and from standard input, which has no path */
	scope_list_make(&(struct trust_subject){ .transport = "oci", .path = "/a", .tag = "" }, &arena, &list);
	assert_int_equal(list.n, 1);
	scope_list_make(&(struct trust_subject){ .transport = "oci-archive" }, &arena, &list);
	assert_int_equal(list.n, 0);
}

static void scopes_that_could_never_match_are_refused(void **state)
{
	static const struct {
		const char *transport, *scope;
		bool is_good;
	} rows[] = {
		{ "docker", "docker.io/library/busybox:latest", true },
		{ "docker", "docker.io/library/busybox@sha256:" HEX, true },
		{ "docker", "docker.io/library", true },
		{ "docker", "docker.io", true },
		{ "docker", "localhost:5000", true },
		{ "docker", "localhost:5000/a/b", true },
		{ "docker", "*.example.com", true },
		{ "docker", "*.com", true },
		{ "docker", "busybox", false },
		{ "docker", "busybox:latest", false },
		{ "docker", "docker.io/library/busybox:1@sha256:" HEX, false },
		{ "docker", "example*.com", false },
		{ "docker", "*.*.com", false },
		{ "docker", "*.", false },
		{ "docker", "*.example.com/x", false },
		{ "docker", "*.example.com:5000", false },
		{ "docker", "docker.io/", false },
		{ "docker", "docker.io/UPPER", false },
		{ "docker", "docker.io/a@sha256:12", false },
		{ "oci", "/a/b", true },
		{ "oci", "/a/b:tag", true },
		{ "oci", "a/b", false },
		{ "oci", "/", false },
		{ "oci", "/a/", false },
		{ "oci", "/a//b", false },
		{ "oci", "/a/../b", false },
		{ "oci", "/a/.", false },
		{ "oci-archive", "/a/..", false },
		{ "docker-archive", "/a", false },
		{ "tarball", "/a", false },
		{ "docker-daemon", "anything", true },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;
		bool is_good = scope_check(rows[i].transport, rows[i].scope, &e) == 0;
		if (is_good != rows[i].is_good)
			fail_msg("%s: %s", rows[i].transport, rows[i].scope);
	}
}

/* ---- identities ---- */

struct identity_row {
	struct identity id;
	const char *image, *signed_name;
	bool is_good;
};

static const struct identity_row identities[] = {
	{ { .type = IDENTITY_EXACT }, "h.test/x:1", "h.test/x:1", true },
	{ { .type = IDENTITY_EXACT }, "h.test/x:1", "h.test/x:2", false },
	{ { .type = IDENTITY_EXACT }, "h.test/x:1", "h.test/x", false },
	{ { .type = IDENTITY_EXACT }, "h.test/x:1", "h.test/y:1", false },
	{ { .type = IDENTITY_EXACT }, "h.test/x@sha256:" HEX, "h.test/x:1", false },
	{ { .type = IDENTITY_EXACT }, "busybox:1", "docker.io/library/busybox:1", true },
	{ { .type = IDENTITY_EXACT }, "busybox:1", "busybox:1", true },
	{ { .type = IDENTITY_REPO_DIGEST_OR_EXACT }, "h.test/x:1", "h.test/x:1", true },
	{ { .type = IDENTITY_REPO_DIGEST_OR_EXACT }, "h.test/x:1", "h.test/x:2", false },
	{ { .type = IDENTITY_REPO_DIGEST_OR_EXACT }, "h.test/x:1", "h.test/x", false },
	{ { .type = IDENTITY_REPO_DIGEST_OR_EXACT }, "h.test/x@sha256:" HEX, "h.test/x:7", true },
	{ { .type = IDENTITY_REPO_DIGEST_OR_EXACT }, "h.test/x@sha256:" HEX, "h.test/x", true },
	{ { .type = IDENTITY_REPO_DIGEST_OR_EXACT }, "h.test/x@sha256:" HEX, "h.test/y:7", false },
	{ { .type = IDENTITY_REPOSITORY }, "h.test/x:1", "h.test/x:2", true },
	{ { .type = IDENTITY_REPOSITORY }, "h.test/x:1", "h.test/x", true },
	{ { .type = IDENTITY_REPOSITORY }, "h.test/x:1", "h.test/x/y:1", false },
	{ { .type = IDENTITY_REPOSITORY }, "h.test:5000/x:1", "h.test/x:1", false },
	{ { .type = IDENTITY_EXACT_REFERENCE, .reference = "v.test/p:1" }, "h.test/x:1", "v.test/p:1", true },
	{ { .type = IDENTITY_EXACT_REFERENCE, .reference = "v.test/p:1" }, NULL, "v.test/p:1", true },
	{ { .type = IDENTITY_EXACT_REFERENCE, .reference = "v.test/p:1" }, NULL, "v.test/p:2", false },
	{ { .type = IDENTITY_EXACT_REFERENCE, .reference = "v.test/p:1" }, NULL, "v.test/p", false },
	{ { .type = IDENTITY_EXACT_REPOSITORY, .repository = "v.test/p" }, NULL, "v.test/p:2", true },
	{ { .type = IDENTITY_EXACT_REPOSITORY, .repository = "v.test/p" }, NULL, "v.test/p", true },
	{ { .type = IDENTITY_EXACT_REPOSITORY, .repository = "v.test/p" }, NULL, "v.test/q:2", false },
	{ { .type = IDENTITY_EXACT_REPOSITORY, .repository = "busybox" }, NULL, "docker.io/library/busybox:2", true },
	/* without a name of the image there is nothing to compare */
	{ { .type = IDENTITY_EXACT }, NULL, "h.test/x:1", false },
	{ { .type = IDENTITY_REPOSITORY }, NULL, "h.test/x:1", false },
	{ { .type = IDENTITY_REPO_DIGEST_OR_EXACT }, NULL, "h.test/x:1", false },
	/* remapping */
	{ { .type = IDENTITY_REMAP, .prefix = "m.test:5000/vendor", .signed_prefix = "v.test" },
	  "m.test:5000/vendor/p/i:1",
	  "v.test/p/i:1",
	  true },
	{ { .type = IDENTITY_REMAP, .prefix = "m.test:5000/vendor", .signed_prefix = "v.test" },
	  "m.test:5000/vendor/p/i:1",
	  "v.test/p/i:2",
	  false },
	{ { .type = IDENTITY_REMAP, .prefix = "m.test:5000/vendor", .signed_prefix = "v.test" },
	  "m.test:5000/vendor/p/i:1",
	  "m.test:5000/vendor/p/i:1",
	  false },
	{ { .type = IDENTITY_REMAP, .prefix = "m.test:5000/vendor", .signed_prefix = "v.test" },
	  "m.test:5000/vendors/i:1",
	  "v.tests/i:1",
	  false },
	{ { .type = IDENTITY_REMAP, .prefix = "m.test:5000/vendor", .signed_prefix = "v.test" },
	  "other.test/i:1",
	  "other.test/i:1",
	  true },
	{ { .type = IDENTITY_REMAP, .prefix = "m.test", .signed_prefix = "docker.io/library" },
	  "m.test/busybox:1",
	  "busybox:1",
	  true },
	{ { .type = IDENTITY_REMAP, .prefix = "m.test/a", .signed_prefix = "v.test/b" },
	  "m.test/a:1",
	  "v.test/b:1",
	  true },
	{ { .type = IDENTITY_REMAP, .prefix = "m.test/a", .signed_prefix = "v.test/b" },
	  "m.test/a@sha256:" HEX,
	  "v.test/b:1",
	  true },
	/* names that are none */
	{ { .type = IDENTITY_REPOSITORY }, "h.test/x:1", "", false },
	{ { .type = IDENTITY_REPOSITORY }, "h.test/x:1", "h.test/X:1", false },
	{ { .type = IDENTITY_REPOSITORY }, "h.test/x:1", "h.test/../h.test/x:1", false },
	{ { .type = IDENTITY_NONE }, "h.test/x:1", "h.test/x:1", false },
};

static void identities_match_by_their_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(identities); i++) {
		const struct identity_row *row = &identities[i];
		struct ref ref;
		struct named image;
		struct err e;
		if (row->image) {
			assert_int_equal(ref_parse(row->image, &ref, &e), 0);
			named_of(&ref, &image);
		}
		int r = identity_check(&row->id, row->image ? &image : NULL, row->signed_name, &e);
		if ((r == 0) != row->is_good)
			fail_msg("row %zu: %s signed as %s", i, row->image ? row->image : "-", row->signed_name);
		if (r < 0)
			assert_int_equal(r, -EPERM);
	}
}

/* ---- policy files ---- */

static int load_policy(const char *text, struct policy *p, struct arena *arena, struct err *e)
{
	return policy_load(text, strlen(text), "policy.json", arena, p, e);
}

static void a_policy_is_read_whole(void **state)
{
	arena_auto struct arena arena = { .top = NULL };
	struct policy p;
	struct err e;
	(void)state;
	assert_int_equal(
		load_policy(
			"{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"\":[{\"type\":"
			"\"insecureAcceptAnything\"}],\"h.test/x\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\","
			"\"keyPaths\":[\"/a\",\"/b\"]},{\"type\":\"sigstoreSigned\",\"keyData\":\"eA==\","
			"\"signedIdentity\":{\"type\":\"matchRepository\"}}]},\"atomic\":{}}}",
			&p, &arena, &e),
		0);
	assert_int_equal(p.fallback.v[0].type, REQUIRE_REJECT);
	assert_int_equal(p.transports.n, 2);
	assert_int_equal(p.transports.v[0].scopes.n, 2);
	const struct requirements *all = &p.transports.v[0].scopes.v[1].all;
	assert_int_equal(all->n, 2);
	assert_string_equal(all->v[0].key_paths.v[1], "/b");
	assert_int_equal(all->v[0].identity->type, IDENTITY_REPO_DIGEST_OR_EXACT);
	assert_int_equal(all->v[1].identity->type, IDENTITY_REPOSITORY);
}

#define KEYED(rest) "{\"default\":[{\"type\":\"sigstoreSigned\"," rest "}]}"
#define GPG(rest)   "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\"," rest "}]}"
#define ID(rest)    KEYED("\"keyPath\":\"/k\",\"signedIdentity\":{" rest "}")

static void bad_policies_are_refused_with_their_address(void **state)
{
	static const struct {
		const char *text, *at;
	} rows[] = {
		{ "", "policy.json" },
		{ "[]", "policy.json" },
		{ "{}", "default: required" },
		{ "{\"default\":[]}", "default: empty" },
		{ "{\"default\":{}}", "default: expected array" },
		{ "{\"default\":[{}]}", "default[0].type: required" },
		{ "{\"default\":[{\"type\":\"accept\"}]}", "default[0].type: unknown value" },
		{ "{\"default\":[{\"type\":\"signedBaseLayer\"}]}", "default[0].type: unknown value" },
		{ "{\"default\":[{\"type\":\"reject\"}],\"extra\":1}", "extra: unknown key" },
		{ "{\"default\":[{\"type\":\"reject\",\"x\":1}]}", "default[0].x: unknown key" },
		{ "{\"default\":[{\"type\":\"reject\",\"type\":\"reject\"}]}", "duplicate" },
		{ "{\"default\":[{\"type\":\"reject\",\"keyPath\":\"/k\"}]}", "default[0].keyPath: a requirement" },
		{ "{\"default\":[{\"type\":\"insecureAcceptAnything\",\"signedIdentity\":{\"type\":\"matchExact\"}}]"
		  "}",
		  "default[0].signedIdentity: a requirement" },
		{ KEYED("\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\""), "keyType: a requirement" },
		{ KEYED("\"keyPath\":\"/k\",\"keyData\":\"eA==\""), "not several" },
		{ KEYED("\"signedIdentity\":{\"type\":\"matchExact\"}"), "not none" },
		{ KEYED("\"keyPaths\":[]"), "keyPaths: empty" },
		{ KEYED("\"keyPath\":\"/k\",\"rekorPublicKeyPath\":\"/r\""), "rekorPublicKeyPath: not supported" },
		{ KEYED("\"fulcio\":{\"caPath\":\"/c\",\"oidcIssuer\":\"i\"}"), "default[0].fulcio: not supported" },
		{ KEYED("\"pki\":{\"caRootsPath\":\"/c\"}"), "default[0].pki: not supported" },
		{ "{\"default\":[{\"type\":\"signedBy\",\"keyPath\":\"/k\"}]}", "keyType: required" },
		{ "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"X509CAs\",\"keyPath\":\"/k\"}]}",
		  "keyType: \"X509CAs\" is not supported" },
		{ GPG("\"keyPath\":\"/k\",\"keyDatas\":[\"eA==\"]"), "keyDatas: a requirement" },
		{ ID("\"type\":\"matchAll\""), "signedIdentity.type: unknown value" },
		{ ID("\"type\":\"matchExact\",\"prefix\":\"h.test\""), "signedIdentity.prefix: type matchExact" },
		{ ID("\"type\":\"exactReference\""), "dockerReference: required" },
		{ ID("\"type\":\"exactReference\",\"dockerReference\":\"h.test/x\""), "no name with a tag" },
		{ ID("\"type\":\"exactRepository\",\"dockerRepository\":\"h.test/x:1\""), "no name without a tag" },
		{ ID("\"type\":\"remapIdentity\",\"prefix\":\"h.test\""), "signedPrefix: required" },
		{ ID("\"type\":\"remapIdentity\",\"prefix\":\"h.test/x:1\",\"signedPrefix\":\"v.test\""),
		  "signedIdentity.prefix: \"h.test/x:1\"" },
		{ "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"dokcer\":{}}}", "no such transport" },
		{ "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":[]}}",
		  "transports.docker: expected" },
		{ "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"h.test\":{}}}}",
		  "transports.docker[\"h.test\"]: expected array" },
		{ "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"h.test\":null}}}",
		  "transports.docker[\"h.test\"]: expected array" },
		{ "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"h.test\":[]}}}",
		  "transports.docker[\"h.test\"]: empty" },
		{ "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"h.test\":[{\"type\":\"x\"}]}}}",
		  "transports.docker[\"h.test\"][0].type: unknown value" },
		{ "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"oci\":{\"rel/"
		  "dir\":[{\"type\":\"reject\"}]}}}",
		  "transports.oci[\"rel/dir\"]: not an absolute path" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		arena_auto struct arena arena = { .top = NULL };
		struct policy p;
		struct err e = { .num = 0 };
		assert_int_equal(load_policy(rows[i].text, &p, &arena, &e), -EINVAL);
		if (!strstr(e.text, rows[i].at) || strncmp(e.text, "policy.json", 11) != 0)
			fail_msg("row %zu: %s", i, e.text);
	}
}

/* ---- payloads ---- */

#define PAYLOAD(reference, digest, type, more)                                                                       \
	"{\"critical\":{\"identity\":{\"docker-reference\":\"" reference                                             \
	"\"},\"image\":{\"docker-manifest-digest\":\"" digest "\"},\"type\":\"" type "\"}" more "}"

static void payloads_are_read_strictly(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
	} rows[] = {
		{ PAYLOAD("h.test/x:1", "sha256:" HEX, PAYLOAD_COSIGN, ",\"optional\":null"), true },
		{ PAYLOAD("h.test/x:1", "sha256:" HEX, PAYLOAD_COSIGN, ",\"optional\":{\"any\":[1,{}]}"), true },
		{ PAYLOAD("h.test/x:1", "sha256:" HEX, PAYLOAD_ATOMIC, ""), false },
		{ PAYLOAD("h.test/x:1", "sha256:" HEX, PAYLOAD_COSIGN, ",\"extra\":1"), false },
		{ PAYLOAD("h.test/x:1", "sha256:" HEX, PAYLOAD_COSIGN "\",\"more\":\"x", ""), false },
		{ PAYLOAD("h.test/x:1", "sha256:" HEX "\",\"docker-manifest-digest\":\"sha256:" HEX, PAYLOAD_COSIGN,
			  ""),
		  false },
		{ PAYLOAD("h.test/x:1", "sha256:" HEX "\",\"more\":\"x", PAYLOAD_COSIGN, ""), false },
		{ PAYLOAD("h.test/x:1", "sha256:12", PAYLOAD_COSIGN, ""), false },
		{ PAYLOAD("h.test/x:1", "md5:" HEX, PAYLOAD_COSIGN, ""), false },
		{ PAYLOAD("h.test/x:1", "sha256:" HEX, PAYLOAD_COSIGN, "") "x", false },
		{ "{\"critical\":{}}", false },
		{ "{}", false },
		{ "", false },
		{ "[]", false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		arena_auto struct arena arena = { .top = NULL };
		struct payload p;
		struct err e;
		int r = payload_load(rows[i].text, strlen(rows[i].text), PAYLOAD_COSIGN, &arena, &p, &e);
		if ((r == 0) != rows[i].is_good)
			fail_msg("row %zu: %s", i, r < 0 ? e.text : "taken");
		if (r == 0)
			assert_string_equal(p.reference, "h.test/x:1");
		else
			assert_int_equal(r, -EBADMSG);
	}
}

static void a_payload_is_read_as_it_was_written(void **state)
{
	arena_auto struct arena arena = { .top = NULL };
	str_auto struct str text = STR_MAX(4096);
	struct pair pairs[] = { { "who", "a \"b\"" } };
	const struct payload in = { .digest = "sha256:" HEX, .reference = "h.test/x:1" };
	struct payload out;
	struct err e;
	(void)state;
	payload_print(&text, &in, &(struct pairs){ pairs, 1 }, 1700000000);
	assert_int_equal(payload_load(text.p, text.len, PAYLOAD_COSIGN, &arena, &out, &e), 0);
	assert_string_equal(out.digest, in.digest);
	assert_int_equal(payload_has(text.p, text.len, "who", "a \"b\""), 0);
	assert_int_equal(payload_has(text.p, text.len, "who", "b"), -ENOENT);
	assert_int_equal(payload_has(text.p, text.len, "critical", "b"), -ENOENT);
}

/* ---- registries.d ---- */

static int add_yaml(struct registriesd *rd, const char *text, struct err *e)
{
	return registriesd_add(rd, text, strlen(text), "a.yaml", e);
}

static void the_longest_section_of_registries_d_counts(void **state)
{
	struct registriesd rd = { .v = NULL };
	struct err e;
	static const struct {
		const char *name, *lookaside;
	} rows[] = {
		{ "h.test/x:1", "http://one.test/a" },
		{ "h.test/x:2", "file:///two" },
		{ "h.test/xy:2", NULL },
		{ "other.test/x", "https://default.test" },
	};
	(void)state;
	assert_int_equal(add_yaml(&rd,
				  "# words\ndefault-docker: {lookaside: 'https://default.test'}\ndocker:\n"
				  "  h.test/x:1:\n    sigstore: http://one.test/a\n  h.test:\n"
				  "    use-sigstore-attachments: true\n",
				  &e),
			 0);
	assert_int_equal(add_yaml(&rd, "docker:\n  h.test/x: {lookaside: \"file:///two\"}\n", &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct named n;
		assert_int_equal(named_parse(rows[i].name, &n, &e), 0);
		const struct registriesd_section *s = registriesd_find(&rd, &n);
		assert_non_null(s);
		if (rows[i].lookaside)
			assert_string_equal(s->lookaside, rows[i].lookaside);
		else
			assert_true(!s->lookaside && s->attachments.v);
	}
	registriesd_done(&rd);
}

static void bad_registries_d_is_refused(void **state)
{
	static const char *const rows[] = {
		"docker: [a]\n",
		"docker:\n  h.test: x\n",
		"docker:\n  h.test:\n    lookasides: file:///x\n",
		"docker:\n  h.test:\n    lookaside: ftp://x\n",
		"docker:\n  h.test:\n    lookaside: file://x\n",
		"docker:\n  h.test:\n    lookaside: [x]\n",
		"docker:\n  h.test:\n    lookaside: file:///x\n    sigstore: file:///y\n",
		"docker:\n  h.test:\n    use-sigstore-attachments: maybe\n",
		"docker:\n  h.test: {}\n  h.test: {}\n",
		"default-docker: {}\ndefault-docker: {}\n",
		"other: {}\n",
		"- a\n",
		"docker: {\n",
		"? [a]\n: b\n",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct registriesd rd = { .v = NULL };
		struct err e = { .num = 0 };
		if (add_yaml(&rd, rows[i], &e) != -EINVAL)
			fail_msg("row %zu was taken", i);
		assert_int_equal(strncmp(e.text, "a.yaml", 6), 0);
		registriesd_done(&rd);
	}
	/* the same in a second file */
	struct registriesd rd = { .v = NULL };
	struct err e;
	assert_int_equal(add_yaml(&rd, "docker: {h.test: {}}", &e), 0);
	assert_int_equal(add_yaml(&rd, "docker: {h.test: {}}", &e), -EINVAL);
	assert_int_equal(add_yaml(&rd, "", &e), 0);
	registriesd_done(&rd);
}

/* ---- base64 ---- */

static void base64_is_strict(void **state)
{
	static const char *const good[][2] = {
		{ "", "" }, { "YQ==", "a" }, { "YWI=", "ab" }, { "YWJj", "abc" }, { "YW\nJj\r\n", "abc" },
	};
	static const char *const bad[] = { "Y",	       "YQ",   "YQ=",  "YR==", "YWJ=", "=",
					   "YQ==YQ==", "Y Q=", "YQ=a", "Y===", "YW-j" };
	uint8_t *out;
	size_t len;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(base64_decode(good[i][0], strlen(good[i][0]), &out, &len), 0);
		assert_int_equal(len, strlen(good[i][1]));
		assert_string_equal((char *)out, good[i][1]);
		free(out);
		char *again = base64_encode(good[i][1], len);
		if (i != 4)
			assert_string_equal(again, good[i][0]);
		free(again);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (base64_decode(bad[i], strlen(bad[i]), &out, &len) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
}

static void names_of_signatures(void **state)
{
	char digest[DIGEST_TEXT_MAX], tag[REF_SIGNATURE_TAG_MAX];
	(void)state;
	assert_string_equal(ref_signature_tag("sha256:" HEX, tag), "sha256-" HEX ".sig");
	assert_true(ref_is_signature("sha256-" HEX ".sig", digest));
	assert_string_equal(digest, "sha256:" HEX);
	assert_true(ref_is_signature("h.test/x:sha256-" HEX ".sig", NULL));
	assert_false(ref_is_signature("sha256-" HEX ".att", NULL));
	assert_false(ref_is_signature("sha256-" HEX, NULL));
	assert_false(ref_is_signature("xsha256-" HEX ".sig", NULL));
	assert_false(ref_is_signature("sha256-" HEX "x.sig", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_scopes_of_a_name_in_their_order),
		cmocka_unit_test(all_scopes_of_a_path_in_their_order),
		cmocka_unit_test(scopes_that_could_never_match_are_refused),
		cmocka_unit_test(identities_match_by_their_rules),
		cmocka_unit_test(a_policy_is_read_whole),
		cmocka_unit_test(bad_policies_are_refused_with_their_address),
		cmocka_unit_test(payloads_are_read_strictly),
		cmocka_unit_test(a_payload_is_read_as_it_was_written),
		cmocka_unit_test(the_longest_section_of_registries_d_counts),
		cmocka_unit_test(bad_registries_d_is_refused),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(names_of_signatures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
