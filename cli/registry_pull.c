/* SPDX-License-Identifier: Apache-2.0 */
/* kist image pull and push. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/image_cmd.h"
#include "cli/registry_prompt.h"
#include "image/guard.h"
#include "image/registry/pull.h"
#include "image/registry/push.h"
#include "util/fd.h"

static void say(void *ctx, const char *line)
{
	progress_say(ctx, line);
}

static void set_remote(const struct remote_options *o, struct progress *progress, struct registry_options *ret)
{
	*ret = (struct registry_options){
		.tls = o->tls_verify == OPT_YES	 ? REGISTRY_TLS_VERIFY
		       : o->tls_verify == OPT_NO ? REGISTRY_TLS_NO_VERIFY
						 : REGISTRY_TLS_DEFAULT,
		.cert_dir = o->cert_dir,
		.authfile = o->authfile,
		.creds = o->creds,
		.stall_ms = o->stall_ms.is_set && o->stall_ms.value > 0 ? o->stall_ms.value : 0,
		.notice = say,
		.ctx = progress,
	};
}

/* --creds USER: the password is asked for, as podman does it. */
static int ask_creds(struct registry_options *o, char **ret_creds, struct err *e)
{
	char *password = NULL;
	if (!o->creds || strchr(o->creds, ':'))
		return 0;
	if (!prompt_can())
		return err_new(
			e, ENOTTY,
			"option --creds: expected USER:PASSWORD, and there is no terminal to ask for the password");
	int r = prompt_line("Password: ", true, &password, e);
	if (r < 0)
		return r;
	*ret_creds = mem_fmt("%s:%s", o->creds, password);
	o->creds = *ret_creds;
	explicit_bzero(password, strlen(password));
	free(password);
	return 0;
}

/* ---- pull ---- */

struct pull_words {
	struct pull_request request;
	int count;
	char **names;
};

static void print_digest(void *ctx, const char *digest)
{
	(void)ctx;
	puts(digest);
}

static int pull_each(const struct store *s, void *ctx, struct err *e)
{
	struct pull_words *w = ctx;
	int r = 0;
	for (int i = 0; r == 0 && i < w->count; i++) {
		w->request.name = w->names[i];
		r = image_pull(s, &w->request, e);
	}
	return r;
}

/* --platform, or podman's three options for its parts. 0: neither was given, 1: ret_want is set. */
static int read_platform(const struct image_pull_options *o, struct platform_want *ret_want, struct err *e)
{
	struct platform_want host;
	if (!o->platform && !o->arch && !o->os && !o->variant)
		return 0;
	if (o->platform && (o->arch || o->os || o->variant))
		return cmd_usage(e, "option --platform: not together with --arch, --os and --variant");
	platform_host(&host);
	free_auto char *text = o->platform ? mem_str(o->platform) :
					     mem_fmt("%s/%s%s%s", o->os ? o->os : host.os, o->arch ? o->arch : host.arch,
						     o->variant ? "/" : "", o->variant ? o->variant : "");
	int r = platform_parse(text, ret_want, e);
	return r < 0 ? r : 1;
}

int image_cmd_pull(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const struct image_pull_options *o = &options->pull;
	struct progress progress = { .rows = NULL };
	struct platform_want want = { .os = "" };
	struct pull_words w = {
		.request = { .is_all_tags = o->all_tags, .pulled = print_digest },
		.count = argc,
		.names = argv,
	};
	struct ref ref;
	w.request.options = (struct layerjob_options){
		.limits = inflate_limits_default,
		.style = progress_style(o->quiet, true),
		.progress = &progress,
	};
	if (o->max_bytes.is_set && o->max_bytes.value > 0)
		w.request.options.limits.bytes = (uint64_t)o->max_bytes.value;
	if (o->max_entries.is_set && o->max_entries.value > 0)
		w.request.options.entries = (uint64_t)o->max_entries.value;
	set_remote(&o->remote, &progress, &w.request.registry);
	free_auto char *creds = NULL;
	/* All words are looked at before the first is pulled. */
	int r = read_platform(o, &want, e);
	if (r > 0)
		w.request.want = &want;
	r = r > 0 ? 0 : r;
	for (int i = 0; r == 0 && i < argc; i++)
		r = pull_parse_name(argv[i], &ref, e);
	if (r == 0)
		r = ask_creds(&w.request.registry, &creds, e);
	trust_auto struct trust *trust = NULL;
	if (r == 0)
		r = trust_open(o->policy, &trust, e);
	w.request.trust = trust;
	return r < 0 ? r : guard_run(s, pull_each, &w, e);
}

/* ---- push ---- */

/* As podman writes it: without a newline. */
static int write_digest(const char *path, const char *digest, struct err *e)
{
	fd_auto int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : fd_write_all(fd, digest, strlen(digest));
	return r < 0 ? err_ret(e, r, "option --digestfile: %s", path) : 0;
}

int image_cmd_push(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const struct image_push_options *o = &options->push;
	struct progress progress = { .rows = NULL };
	char digest[DIGEST_TEXT_MAX];
	struct push_request request = {
		.name = argv[0],
		.destination = argc > 1 ? argv[1] : NULL,
		.leaves_signatures = o->remove_signatures,
		.style = progress_style(o->quiet, true),
		.progress = &progress,
	};
	free_auto char *creds = NULL;
	set_remote(&o->remote, &progress, &request.registry);
	int r = ask_creds(&request.registry, &creds, e);
	if (r == 0)
		r = image_push(s, &request, digest, e);
	if (r == 0 && o->digestfile)
		r = write_digest(o->digestfile, digest, e);
	if (r == 0)
		puts(digest);
	return r;
}
