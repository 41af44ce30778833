/* SPDX-License-Identifier: Apache-2.0 */
/* kist spec: writes a default config.json, or judges one. Makes nothing else and asks nothing of the host. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "spec/check.h"
#include "spec/default.h"
#include "spec/load.h"
#include "util/fd.h"
#include "util/mem.h"

static int write_default(const struct spec_options *o, struct err *e)
{
	const char *dir = o->bundle ? o->bundle : ".";
	const char *text = spec_default_json(o->rootless);
	fd_auto int bundle = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (bundle < 0)
		return err_sys(e, "bundle %s", dir);
	fd_auto int file = openat(bundle, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (file < 0)
		return err_sys(e, "%s/config.json", dir);
	int r = fd_write_all(file, text, strlen(text));
	if (r < 0) {
		unlinkat(bundle, "config.json", 0);
		return err_ret(e, r, "%s/config.json", dir);
	}
	return 0;
}

/* ---- --check ---- */

/* Counts while it prints, one finding per line. */
struct report {
	size_t breaches;
};

static void on_breach(void *ctx, const char *message)
{
	struct report *report = ctx;

	report->breaches++;
	puts(message);
}

static void on_unknown(void *ctx, const char *path, const char *nearest)
{
	(void)ctx;
	if (nearest)
		printf("%s: unknown key (did you mean %s?)\n", path, nearest);
	else
		printf("%s: unknown key\n", path);
}

/* Types and required keys first; the rules between keys need a spec that was read whole. */
static int judge(const char *name, struct err *e)
{
	free_auto char *bytes = NULL;
	spec_auto struct spec spec = { 0 };
	struct report report = { 0 };
	struct jx_listener listener = { .breach = on_breach, .unknown = on_unknown, .ctx = &report };
	size_t len;
	int r = file_read(AT_FDCWD, name, JX_BYTES_MAX, true, &bytes, &len);

	if (r < 0)
		return err_ret(e, r, "%s", name);
	r = spec_load_listen(bytes, len, name, &listener, &spec, e);
	if (r < 0 && !report.breaches)
		return r;
	if (r >= 0)
		spec_check_all(&spec, on_breach, &report);
	if (fflush(stdout) == EOF)
		return err_sys(e, "standard output");
	return report.breaches ? 1 : 0;
}

int cmd_spec(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct spec_options *o = options;

	(void)cli, (void)argc, (void)argv;
	if (o->check && (o->bundle || o->rootless))
		return cmd_usage(e, "--check goes with no other option");
	return o->check ? judge(o->check, e) : write_default(o, e);
}
