/* SPDX-License-Identifier: Apache-2.0 */
/* The reading half on a store made by hand: names to images, configs, layers in overlay order; and document checks. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/layers.h"
#include "image/names.h"
#include "image/platform.h"
#include "util/fd.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
#define E "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define DESC(d) "{\"digest\":\"sha256:" d "\",\"size\":1}"
#define ROW(d, name) \
	"{\"digest\":\"sha256:" d "\",\"size\":1,\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}}"

static char top[64];
static struct store store;

static void put(const char *name, const char *text)
{
	fd_auto int fd = openat(store.dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static int make_store(void **state)
{
	struct err e;
	(void)state;
	snprintf(top, sizeof(top), "/tmp/kist-unit.XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(store_open(top, true, &store, &e), 0);
	put("index.json", "{\"schemaVersion\":2,\"manifests\":["
	    ROW(A, "docker.io/library/app:1") "," ROW(A, "localhost/tool:latest") ","
	    ROW(B, "one.test/same:latest") "," ROW(C, "two.test/same:latest") ","
	    ROW(B, "only.test/x/y:2") "," ROW(C, "app:2") "]}");
	put("blobs/sha256/" A,
	    "{\"schemaVersion\":2,\"config\":" DESC(D) ",\"layers\":[" DESC(A) "," DESC(B) "," DESC(C) "]}");
	put("blobs/sha256/" D,
	    "{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{\"User\":\"u\",\"Env\":[\"SECRET\",\"=x\",\"A=b=c\"],"
	    "\"Cmd\":[\"sh\",\"-c\"],\"Entrypoint\":null,\"WorkingDir\":\"/w\",\"StopSignal\":\"INT\",\"Volumes\":{\"/v\":{}},"
	    "\"ExposedPorts\":{\"80/tcp\":{}},\"Labels\":{\"io.kist.privileged\":\"1\",\"a\":\"b\"},"
	    "\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"],\"Interval\":5000000000}},"
	    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" A "\",\"sha256:" B "\",\"sha256:" C "\"]}}");
	return 0;
}

static int remove_store(void **state)
{
	(void)state;
	store_done(&store);
	return file_remove_tree(AT_FDCWD, top);
}

static const struct {
	const char *word, *digest;
	int error;
} words[] = {
	{ "app:1", A, 0 }, { "docker.io/app:1", A, 0 }, { "docker.io/library/app:1", A, 0 }, { "app:2", C, 0 },
	{ "docker.io/library/app:2", C, 0 }, { "tool", A, 0 }, { "localhost/tool:latest", A, 0 }, { "x/y:2", B, 0 },
	{ "one.test/same", B, 0 }, { "sha256:" C, C, 0 }, { "cccc", C, 0 }, { "app@sha256:" A, A, 0 },
	{ "app:1@sha256:" A, A, 0 }, { "same", NULL, -ENOTUNIQ }, { "app", NULL, -ENOENT }, { "app:3", NULL, -ENOENT },
	{ "other.test/app:1", NULL, -ENOENT }, { "app:1@sha256:" B, NULL, -ENOENT }, { "ccc", NULL, -ENOENT },
	{ "sha256:" D, NULL, -ENOENT }, { "App", NULL, -EINVAL }, { "", NULL, -EINVAL },
};

static void resolve_all(void)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct name_hit hit = { .name = "" };
		struct err e = { .num = 0 };
		int r = names_resolve(&store, words[i].word, &hit, &e);
		if (r != words[i].error)
			fail_msg("%s: %d, not %d", words[i].word, r, words[i].error);
		if (r == 0)
			assert_string_equal(digest_hex(hit.digest), words[i].digest);
	}
}

static void names(void **state)
{
	(void)state;
	resolve_all();
}

/* A long index is read for the word alone (image/thin): all words mean what they mean in the short one. */
static void names_in_a_long_index(void **state)
{
	free_auto char *was = NULL;
	str_auto struct str text = STR_MAX(1 << 20);
	struct name_hit hit;
	struct err e = { .num = 0 };
	size_t len;
	(void)state;
	assert_int_equal(file_read(store.dir, "index.json", 1 << 20, false, &was, &len), 0);
	char *list = strchr(was, '[') + 1;
	str_fmt(&text, "{\"a\":[{\"]\":\"}\\\"\"}], %.*s", (int)(list - was - 1), was + 1);
	for (int i = 0; i < 100; i++)
		str_fmt(&text, " " ROW(E, "other.test/n%d[:1") ",\n", i);
	str_fmt(&text, ROW(B, "\\u0061\\u0070p:4") ",%s", list);
	put("index.json", text.p);
	resolve_all();
	assert_int_equal(names_resolve(&store, "app:4", &hit, &e), 0);
	assert_string_equal(digest_hex(hit.digest), B);
	/* What is wrong elsewhere is told to whoever finds nothing. */
	memcpy(strstr(text.p, "other.test/n50") - 120, "!", 1);
	put("index.json", text.p);
	assert_int_equal(names_resolve(&store, "app:1", &hit, &e), 0);
	assert_int_equal(names_resolve(&store, "app:3", &hit, &e), -EINVAL);
	put("index.json", was);
}

static void a_missing_store_is_empty(void **state)
{
	struct err e = { .num = 0 };
	struct image im;
	struct store none;
	(void)state;
	assert_int_equal(store_open("/nonexistent/store", false, &none, &e), 0);
	assert_int_equal(image_open(&none, "app", &im, &e), -ENOENT);
	assert_string_equal(e.text, "image \"app\": not in the store (get it with \"kist pull\" or \"kist load\")");
	store_done(&none);
}

static void config_is_read_and_cannot_steer(void **state)
{
	struct err e = { .num = 0 };
	image_auto struct image im = { .name = NULL };
	(void)state;
	assert_int_equal(image_open(&store, "app:1", &im, &e), 0);
	assert_string_equal(im.name, "docker.io/library/app:1");
	assert_string_equal(im.digest, "sha256:" A);
	const struct image_process *p = im.process;
	assert_string_equal(p->user, "u");
	assert_string_equal(p->workdir, "/w");
	assert_string_equal(p->stop_signal, "INT");
	assert_int_equal(p->entrypoint.n, 0);
	assert_int_equal(p->cmd.n, 2);
	assert_null(p->cmd.v[2]);
	assert_int_equal(p->env.n, 1);
	assert_string_equal(p->env.v[0], "A=b=c");
	assert_null(p->env.v[1]);
	assert_int_equal(p->labels.n, 1);
	assert_string_equal(p->labels.v[0].key, "a");
	assert_string_equal(p->volumes.v[0].key, "/v");
	assert_string_equal(p->ports.v[0].key, "80/tcp");
	assert_int_equal(p->health->interval_ns.v, 5000000000);
	assert_int_equal(im.layers.n, 3);
}

static void long_documents_for_a_run(void **state)
{
	str_auto struct str manifest = STR_MAX(1 << 20), config = STR_MAX(1 << 20);
	struct err e = { .num = 0 };
	image_auto struct image im = { .name = NULL }, whole = { .name = NULL };
	(void)state;
	str_puts(&manifest, "{\"schemaVersion\":2,\"layers\":[");
	str_puts(&config, "{\"history\":[{\"comment\":\"]}\\\"\"},{}],\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[");
	for (int i = 0; i < 40; i++) {
		str_fmt(&manifest, "%s" DESC(A), i ? "," : "");
		str_fmt(&config, "%s\"sha256:" B "\"", i ? "," : "");
	}
	str_puts(&manifest, "],\"config\":" DESC(E) "}");
	str_puts(&config, "]},\"config\":{\"User\":\"v\"}}");
	put("blobs/sha256/" B, manifest.p);
	put("blobs/sha256/" E, config.p);
	assert_int_equal(image_open(&store, "x/y:2", &whole, &e), 0);
	assert_int_equal(image_open_to_run(&store, "x/y:2", &im, &e), 0);
	assert_int_equal(whole.manifest.layers.n, 40);
	assert_int_equal(im.manifest.layers.n, 0);
	assert_int_equal(whole.config.history.n, 2);
	assert_int_equal(im.config.history.n, 0);
	assert_int_equal(im.layers.n, 40);
	assert_string_equal(im.process->user, "v");
	/* One layer too few is told as ever. */
	memset(strchr(manifest.p, '[') + 1, ' ', strlen(DESC(A)) + 1);
	put("blobs/sha256/" B, manifest.p);
	struct image bad;
	assert_int_equal(image_open_to_run(&store, "x/y:2", &bad, &e), -EINVAL);
	assert_non_null(strstr(e.text, "rootfs.diff_ids has 40 entries, but the manifest has 39 layers"));
	/* So are too many. */
	str_auto struct str many = STR_MAX(1 << 20);
	str_puts(&many, "{\"schemaVersion\":2,\"layers\":[");
	for (int i = 0; i < IMAGE_LAYERS_MAX; i++)
		str_puts(&many, DESC(A) ",");
	str_puts(&many, DESC(A) "],\"config\":" DESC(E) "}");
	put("blobs/sha256/" B, many.p);
	assert_int_equal(image_open_to_run(&store, "x/y:2", &bad, &e), -E2BIG);
	assert_non_null(strstr(e.text, "layers, at most"));
}

static void layers_top_first_down_to_an_opaque_one(void **state)
{
	struct err e = { .num = 0 };
	image_auto struct image im = { .name = NULL };
	struct layers l = { .n = 0 };
	struct stat want, have;
	(void)state;
	assert_int_equal(image_open(&store, "app:1", &im, &e), 0);
	assert_int_equal(layers_open(&store, &im, &l, &e), -ENOENT);
	assert_non_null(strstr(e.text, "layer sha256:" C));
	assert_int_equal(l.n, 0);
	static const char *const dirs[] = { "layers/sha256/" A, "layers/sha256/" A "/fs", "layers/sha256/" B,
					    "layers/sha256/" B "/fs", "layers/sha256/" C, "layers/sha256/" C "/fs" };
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdirat(store.dir, dirs[i], 0755), 0);
	assert_int_equal(layers_open(&store, &im, &l, &e), 0);
	assert_int_equal(l.n, 3);
	assert_int_equal(fstat(l.fd[0], &have), 0);
	assert_int_equal(fstatat(store.dir, dirs[5], &want, 0), 0);
	assert_int_equal(have.st_ino, want.st_ino);
	layers_done(&l);
	assert_int_equal(renameat(store.dir, dirs[3], store.dir, "layers/sha256/" B "/fs-opaque"), 0);
	assert_int_equal(layers_open(&store, &im, &l, &e), 0);
	assert_int_equal(l.n, 2);
	layers_done(&l);
}

static void documents(void **state)
{
#define OCI "application/vnd.oci.image."
	static const struct {
		const char *text, *type, *words;
	} rows[] = {
		{ "{\"schemaVersion\":2,\"config\":" DESC(A) ",\"layers\":[]}", NULL, NULL },
		{ "{\"schemaVersion\":2,\"config\":" DESC(A) ",\"layers\":[]}", OCI "manifest.v1+json", NULL },
		{ "{\"schemaVersion\":2,\"manifests\":[]}", OCI "index.v1+json", NULL },
		{ "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\",\"config\":"
		  DESC(A)
		  ",\"layers\":[" DESC(A) "]}", NULL, NULL },
		{ "{\"schemaVersion\":2,\"config\":" DESC(A) ",\"layers\":[],\"manifests\":[]}", NULL,
		  "both a manifest and an index" },
		{ "{\"schemaVersion\":2,\"layers\":[],\"manifests\":[" DESC(A) "]}",
		  NULL, "both a manifest and an index" },
		{ "{\"schemaVersion\":2}", NULL, "neither a manifest nor an index" },
		{ "{\"schemaVersion\":1,\"manifests\":[]}", NULL, "schemaVersion is 1" },
		{ "{\"manifests\":[]}", NULL, "schemaVersion" },
		{ "{\"schemaVersion\":2,\"layers\":[]}", NULL, "config: missing" },
		{ "{\"schemaVersion\":2,\"manifests\":[]}", OCI "manifest.v1+json", "is not that of an image index" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"" OCI "index.v1+json\",\"manifests\":[]}",
		  OCI "manifest.v1+json", "but its descriptor says" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"x/y\",\"manifests\":[]}",
		  NULL, "is not that of an image index" },
		{ "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:../x\",\"size\":1}]}",
		  NULL, "manifests[0].digest" },
		{ "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:" A "\",\"size\":-1}]}",
		  NULL, "size: negative" },
		{ "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:" A "\"}]}", NULL, "size" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		arena_auto struct arena arena = { .top = NULL };
		struct document doc;
		struct err e = { .num = 0 };
		int r = document_load(rows[i].text, strlen(rows[i].text), "doc", rows[i].type, &arena, &doc, &e);
		if ((r < 0) != (rows[i].words != NULL) || (r < 0 && !strstr(e.text, rows[i].words)))
			fail_msg("%s: %d %s", rows[i].text, r, e.text);
	}
}

static void platforms(void **state)
{
	(void)state;
	struct platform_want own;
	struct err e;
	platform_host(&own);
	struct platform other = { "linux", "pdp11", NULL }, windows = { "windows", own.arch, NULL },
			here = { "linux", own.arch, own.variant };
	struct descriptor list[] = { { .platform = &other }, { .platform = &windows }, { .platform = &here } };
	struct document doc = { .manifests = { list, 3 } };
	assert_ptr_equal(platform_pick_own(&doc, "doc", &e), &list[2]);
	doc.manifests.n = 2;
	assert_null(platform_pick_own(&doc, "doc", &e));
	/* one that no processor has yet, before ours */
	struct platform newer = { "linux", own.arch, "v999" };
	list[0].platform = &newer;
	doc.manifests.n = 3;
	assert_ptr_equal(platform_pick_own(&doc, "doc", &e), &list[2]);
	list[0].platform = NULL;
	doc.manifests.n = 1;
	assert_ptr_equal(platform_pick_own(&doc, "doc", &e), &list[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(names_in_a_long_index),
		cmocka_unit_test(a_missing_store_is_empty),
		cmocka_unit_test(config_is_read_and_cannot_steer),
		cmocka_unit_test(long_documents_for_a_run),
		cmocka_unit_test(layers_top_first_down_to_an_opaque_one),
		cmocka_unit_test(documents),
		cmocka_unit_test(platforms),
	};
	return cmocka_run_group_tests(tests, make_store, remove_store);
}
