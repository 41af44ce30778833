/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials: which file, which key, which helper; and that changing a file keeps what others have in it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/registry/creds.h"
#include "util/fd.h"

static char top[] = "/tmp/kist-creds-XXXXXX";

static void put(const char *name, const char *text, mode_t mode)
{
	free_auto char *path = mem_fmt("%s/%s", top, name);
	for (char *slash = strchr(path + strlen(top) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static int fresh(void **state)
{
	(void)state;
	memcpy(top + strlen(top) - 6, "XXXXXX", 6);
	if (!mkdtemp(top))
		return -1;
	free_auto char *run = mem_fmt("%s/run", top), *home = mem_fmt("%s/home", top);
	setenv("XDG_RUNTIME_DIR", run, 1);
	setenv("HOME", home, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("DOCKER_CONFIG");
	unsetenv("REGISTRY_AUTH_FILE");
	return mkdir(home, 0700) < 0 || mkdir(run, 0700) < 0;
}

static int clean(void **state)
{
	(void)state;
	return file_remove_tree(AT_FDCWD, top);
}

/* "USER:PASSWORD", "token:T", "" for none, or the error. */
static const char *found(const char *authfile, const char *host, const char *path)
{
	static char out[ERR_TEXT_MAX];
	const struct creds_where where = { .authfile = authfile };
	creds_auto struct creds c = { .user = NULL };
	struct err e = { .num = 0 };
	int r = creds_find(&where, host, path, &c, &e);
	if (r < 0)
		snprintf(out, sizeof(out), "%s", e.text);
	else if (r == 0)
		out[0] = '\0';
	else if (c.identity_token)
		snprintf(out, sizeof(out), "token:%s", c.identity_token);
	else
		snprintf(out, sizeof(out), "%s:%s", c.user, c.password);
	return out;
}

static void keys(void **state)
{
	(void)state;
	put("a.json",
	    "{\"auths\":{\"a.test\":{\"auth\":\"aG9zdDpw\"},\"a.test/x\":{\"auth\":\"eDpw\"},\"a.test/x/"
	    "y\":{\"auth\":\"eTpwOnE=\"},"
	    "\"https://index.docker.io/v1/\":{\"auth\":\"aHViOnA=\"},\"https://u.test/v2/"
	    "\":{\"username\":\"u\",\"password\":\"v\"},"
	    "\"t.test\":{\"auth\":\"eDo=\",\"identitytoken\":\"T\"},\"e.test\":{},\"b.test\":{\"auth\":\"%%%\"}}}",
	    0600);
	free_auto char *file = mem_fmt("%s/a.json", top);
	assert_string_equal(found(file, "a.test", "q"), "host:p");
	assert_string_equal(found(file, "a.test", ""), "host:p");
	assert_string_equal(found(file, "a.test", "x"), "x:p");
	assert_string_equal(found(file, "a.test", "x/z"), "x:p");
	assert_string_equal(found(file, "a.test", "x/y/z"), "y:p:q");
	assert_string_equal(found(file, "a.test", "xx"), "host:p");
	assert_string_equal(found(file, "a.test:5000", "x"), "");
	assert_string_equal(found(file, "registry-1.docker.io", "library/debian"), "hub:p");
	assert_string_equal(found(file, "u.test", "z"), "u:v");
	assert_string_equal(found(file, "t.test", "z"), "token:T");
	assert_string_equal(found(file, "e.test", "z"), "");
	assert_non_null(strstr(found(file, "b.test", "z"), "a.json: auths.b.test.auth: not base64 of USER:PASSWORD"));
}

static void places(void **state)
{
	(void)state;
	put("home/.dockercfg", "{\"https://a.test/v1/\":{\"auth\":\"NDpw\"}}", 0600);
	assert_string_equal(found(NULL, "a.test", "x"), "4:p");
	put("home/.docker/config.json", "{\"auths\":{\"a.test\":{\"auth\":\"Mzpw\"}}}", 0600);
	assert_string_equal(found(NULL, "a.test", "x"), "3:p");
	put("home/.config/containers/auth.json", "{\"auths\":{\"a.test\":{\"auth\":\"Mjpw\"}}}", 0600);
	assert_string_equal(found(NULL, "a.test", "x"), "2:p");
	put("run/containers/auth.json", "{\"auths\":{\"a.test\":{\"auth\":\"MTpw\"}}}", 0600);
	assert_string_equal(found(NULL, "a.test", "x"), "1:p");
	/* what is not in the first may be in the next */
	put("run/containers/auth.json", "{}", 0600);
	assert_string_equal(found(NULL, "a.test", "x"), "2:p");
	/* a file that is given stands alone, and has to be there */
	free_auto char *given = mem_fmt("%s/given.json", top);
	assert_non_null(strstr(found(given, "a.test", "x"), "given.json: no such file of credentials"));
	put("given.json", "{\"auths\":{}}", 0600);
	assert_string_equal(found(given, "a.test", "x"), "");
	setenv("REGISTRY_AUTH_FILE", given, 1);
	assert_string_equal(found(NULL, "a.test", "x"), "");
	unsetenv("REGISTRY_AUTH_FILE");
	put("run/containers/auth.json", "{\"auths\":[]}", 0600);
	assert_non_null(strstr(found(NULL, "a.test", "x"), "auth.json: auths: expected an object"));
	put("run/containers/auth.json", "{\"auths\":{}", 0600);
	assert_non_null(strstr(found(NULL, "a.test", "x"), "auth.json:1:"));
}

static void helpers(void **state)
{
	(void)state;
	/* The helper notes what it was asked, and knows two hosts. */
	put("bin/docker-credential-kt",
	    "#!/bin/sh\nread -r host\n"
	    "case $1$host in\n"
	    "getk.test) echo '{\"ServerURL\":\"k.test\",\"Username\":\"ann\",\"Secret\":\"s\"}' ;;\n"
	    "gethttps://index.docker.io/v1/) echo '{\"Username\":\"<token>\",\"Secret\":\"R\"}' ;;\n"
	    "getbad.test) echo '{}' ;;\n"
	    "getdie.test) kill -9 $$ ;;\n"
	    "getno.test) echo 'no keychain'; exit 1 ;;\n"
	    "*) echo 'credentials not found in native keychain'; exit 1 ;;\n"
	    "esac\n",
	    0755);
	free_auto char *path = mem_fmt("%s/bin:/usr/bin:/bin", top), *file = mem_fmt("%s/h.json", top);
	setenv("PATH", path, 1);
	put("h.json", "{\"credsStore\":\"kt\",\"auths\":{\"f.test\":{\"auth\":\"Zjpw\"},\"k.test\":{}}}", 0600);
	assert_string_equal(found(file, "k.test", "x"), "ann:s");
	assert_string_equal(found(file, "registry-1.docker.io", "library/x"), "token:R");
	assert_string_equal(found(file, "f.test", "x"), "f:p");
	assert_string_equal(found(file, "none.test", "x"), "");
	assert_non_null(strstr(found(file, "bad.test", "x"),
			       "docker-credential-kt get: its answer has no Username and Secret"));
	assert_non_null(strstr(found(file, "no.test", "x"), "docker-credential-kt get: no keychain"));
	assert_non_null(strstr(found(file, "die.test", "x"), "docker-credential-kt get: ended by signal 9"));
	put("h.json", "{\"credHelpers\":{\"k.test\":\"kt\",\"other.test\":\"missing\",\"evil.test\":\"../kt\"}}",
	    0600);
	assert_string_equal(found(file, "k.test", "x"), "ann:s");
	assert_string_equal(found(file, "bad.test", "x"), "");
	assert_non_null(strstr(found(file, "other.test", "x"), "docker-credential-missing: No such file"));
	assert_non_null(strstr(found(file, "evil.test", "x"), "\"../kt\": no name of a program"));
	/* credential-helpers of registries.conf */
	const char *words[] = { "containers-auth.json", "kt" };
	const struct creds_where where = { .authfile = file, .helpers = { words, 2 } };
	creds_auto struct creds c = { .user = NULL };
	struct err e = { .num = 0 };
	put("h.json", "{}", 0600);
	assert_int_equal(creds_find(&where, "k.test", "x", &c, &e), 1);
	assert_string_equal(c.user, "ann");
}

static int add_entry(struct authfile *f, void *ctx, struct err *e)
{
	(void)e;
	if (ctx)
		json_object_set_new(f->root, ctx, json_true());
	return ctx != NULL;
}

static void changes(void **state)
{
	struct err e = { .num = 0 };
	struct stat st;
	free_auto char *file = mem_fmt("%s/new/dir/auth.json", top), *link = mem_fmt("%s/link.json", top);
	char key[] = "x", other[] = "y";
	(void)state;
	assert_int_equal(authfile_change(file, add_entry, NULL, &e), 0);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(authfile_change(file, add_entry, key, &e), 1);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	put("new/dir/auth.json", "{\"mine\":[1,2],\"x\":false}", 0644);
	assert_int_equal(symlink(file, link), 0);
	assert_int_equal(authfile_change(link, add_entry, other, &e), 1);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	authfile_auto struct authfile f = { .path = NULL };
	assert_int_equal(authfile_open(file, false, &f, &e), 0);
	assert_int_equal(json_array_size(json_object_get(f.root, "mine")), 2);
	assert_true(json_is_false(json_object_get(f.root, "x")));
	assert_true(json_is_true(json_object_get(f.root, "y")));
}

static void basics(void **state)
{
	struct err e = { .num = 0 };
	creds_auto struct creds c = { .user = NULL };
	free_auto char *basic = creds_basic("Aladdin", "open sesame"); /* RFC 7617 */
	(void)state;
	assert_string_equal(basic, "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	assert_int_equal(creds_split("a:b:c", "--creds", &c, &e), 0);
	assert_string_equal(c.password, "b:c");
	assert_int_equal(creds_split("ab", "--creds", &c, &e), -EINVAL);
	assert_int_equal(creds_split(":b", "--creds", &c, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys, fresh, clean),
		cmocka_unit_test_setup_teardown(places, fresh, clean),
		cmocka_unit_test_setup_teardown(helpers, fresh, clean),
		cmocka_unit_test_setup_teardown(changes, fresh, clean),
		cmocka_unit_test(basics),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
