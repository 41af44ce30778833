/* SPDX-License-Identifier: Apache-2.0 */
/* kist login and logout. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/image_cmd.h"
#include "cli/registry_prompt.h"
#include "image/registry/login.h"
#include "util/fd.h"

enum { PASSWORD_MAX = 4096 };

struct login {
	const struct login_options *options;
	struct conf conf;
	char key[LOGIN_KEY_MAX];
	char *user;
	char *password;
};

static void login_done(struct login *l)
{
	if (l->password)
		explicit_bzero(l->password, strlen(l->password));
	free(l->user);
	free(l->password);
	conf_done(&l->conf);
}

static int try(const struct login *l, const char *user, const char *password, struct err *e)
{
	const enum opt_tri tls = l->options->tls_verify;
	const struct registry_options options = {
		.tls = tls == OPT_YES  ? REGISTRY_TLS_VERIFY
		       : tls == OPT_NO ? REGISTRY_TLS_NO_VERIFY
				       : REGISTRY_TLS_DEFAULT,
		.cert_dir = l->options->cert_dir,
	};
	return login_try(&l->conf, l->key, user, password, &options, e);
}

static int print_user(const struct login *l, struct err *e)
{
	creds_auto struct creds c = { .user = NULL };
	int r = login_kept(&l->conf, l->key, l->options->authfile, &c, e);
	if (r == 0)
		r = err_new(e, ENOENT, "not logged in to %s", l->key);
	if (r < 0)
		return r;
	if (!c.user)
		return err_new(e, ENOENT, "%s: %s has a token for it, and no user", l->key, c.from);
	puts(c.user);
	return 0;
}

/* Returns 1 when credentials that are kept already are good. */
static int try_kept(const struct login *l, struct err *e)
{
	creds_auto struct creds c = { .user = NULL };
	int r = login_kept(&l->conf, l->key, l->options->authfile, &c, e);
	/* A file that is given may be about to be made. */
	if (r == -ENOENT || r == 0 || !c.user)
		return r == -ENOENT ? 0 : r < 0 ? r : 0;
	fprintf(stderr, "%s: trying user %s of %s\n", l->key, c.user, c.from);
	r = try(l, c.user, c.password, e);
	if (r == 0) {
		printf("Existing credentials are valid. Already logged in to %s\n", l->key);
		return 1;
	}
	if (r != -EACCES)
		return r;
	fprintf(stderr, "%s: it does not take them any more\n", l->key);
	return 0;
}

/* ---- words from somewhere ---- */

static int read_password(struct login *l, struct err *e)
{
	size_t len;
	int r = file_read_given("-", PASSWORD_MAX, &l->password, &len);
	if (r < 0)
		return err_ret(e, r, "option --password-stdin");
	if (memchr(l->password, '\0', len))
		return err_new(e, EINVAL, "option --password-stdin: a NUL byte");
	l->password[strcspn(l->password, "\r\n")] = '\0';
	return *l->password ? 0 : err_new(e, EINVAL, "option --password-stdin: no password");
}

static int ask(struct login *l, struct err *e)
{
	int r = 0;
	if (!prompt_can())
		return err_new(e, ENOTTY, "no terminal to ask for %s: give -u USER and --password-stdin",
			       l->user ? "the password" : "user and password");
	if (!l->user)
		r = prompt_line("Username: ", false, &l->user, e);
	if (r == 0 && !l->password)
		r = prompt_line("Password: ", true, &l->password, e);
	return r;
}

static int check_options(const struct login_options *o, struct err *e)
{
	if (o->password && o->password_stdin)
		return cmd_usage(e, "option --password: not together with --password-stdin");
	if ((o->password || o->password_stdin) && !o->user)
		return cmd_usage(e, "option --%s: needs -u USER", o->password ? "password" : "password-stdin");
	if (o->get_login && (o->user || o->password || o->password_stdin))
		return cmd_usage(e, "option --get-login: goes alone");
	return 0;
}

static int find_words(struct login *l, struct err *e)
{
	const struct login_options *o = l->options;
	int r = 0;
	l->user = o->user ? mem_str(o->user) : NULL;
	l->password = o->password ? mem_str(o->password) : NULL;
	if (o->password_stdin)
		r = read_password(l, e);
	if (r == 0 && (!l->user || !l->password))
		r = ask(l, e);
	if (r == 0 && (!*l->user || strchr(l->user, ':')))
		return err_new(e, EINVAL, "user \"%s\": %s", l->user,
			       *l->user ? "a colon in it" : "empty"); /* RFC 7617 */
	return r;
}

static int run_login(struct login *l, const char *word, struct err *e)
{
	const struct login_options *o = l->options;
	int r = check_options(o, e);
	if (r == 0)
		r = conf_open(&l->conf, e);
	if (r == 0)
		r = login_key(&l->conf, word, l->key, e);
	if (r < 0)
		return r;
	if (o->get_login)
		return print_user(l, e);
	r = o->user ? 0 : try_kept(l, e);
	if (r != 0)
		return r < 0 ? r : 0;
	r = find_words(l, e);
	if (r == 0)
		r = try(l, l->user, l->password, e);
	if (r == -EACCES)
		return err_new(e, EACCES, "%s does not take this user and password", l->key);
	if (r == 0)
		r = login_keep(l->key, o->authfile, l->user, l->password, e);
	if (r == 0)
		puts("Login Succeeded!");
	return r;
}

int registry_cmd_login(const struct store *s, const union image_options *options, int argc, char **argv,
		       struct err *e)
{
	struct login l = { .options = &options->login };
	(void)s;
	int r = run_login(&l, argc ? argv[0] : NULL, e);
	login_done(&l);
	return r < 0 ? err_at(e, r, "login") : r;
}

int registry_cmd_logout(const struct store *s, const union image_options *options, int argc, char **argv,
			struct err *e)
{
	const struct logout_options *o = &options->logout;
	struct conf conf = { .search_from = NULL };
	char key[LOGIN_KEY_MAX];
	int r = 0;
	(void)s;
	if (o->all && argc)
		return cmd_usage(e, "logout: --all, or one registry");
	if (!o->all)
		r = conf_open(&conf, e);
	if (r == 0 && !o->all)
		r = login_key(&conf, argc ? argv[0] : NULL, key, e);
	if (r == 0)
		r = o->all ? login_forget_all(o->authfile, e) : login_forget(&conf, key, o->authfile, e);
	conf_done(&conf);
	if (r < 0)
		return err_at(e, r, "logout");
	printf("Removed login credentials for %s\n", o->all ? "all registries" : key);
	return 0;
}
