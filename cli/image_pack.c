/* SPDX-License-Identifier: Apache-2.0 */
/* kist image convert and pack. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/image_cmd.h"
#include "image/convert.h"
#include "image/pack.h"
#include "util/log.h"

static struct layerjob_options unpacking(bool is_quiet)
{
	return (struct layerjob_options){ .limits = inflate_limits_default, .style = progress_style(is_quiet, false) };
}

int image_cmd_convert(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const struct image_convert_options *o = &options->convert;
	trust_auto struct trust *trust = NULL;
	int r = trust_open(NULL, &trust, e);
	struct convert_request request = {
		.image = argv[0], .new_name = argc > 1 ? argv[1] : NULL, .drops_layers = o->drop_layers,
		.options = unpacking(o->quiet), .trust = trust,
	};
	if (r < 0 || (r = image_convert(s, &request, e)) < 0)
		return r;
	if (o->drop_layers && !o->quiet)
		fprintf(stderr, "%zu unpacked layers removed\n", request.dropped);
	puts(request.digest);
	return 0;
}

int image_cmd_pack(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const struct image_pack_options *o = &options->pack;
	trust_auto struct trust *trust = NULL;
	struct pack_request request = {
		.image = argv[0], .output = o->output, .changes = o->changes.items, .change_count = o->changes.count,
		.is_zstd = o->compress && strcmp(o->compress, "zstd") == 0, .options = unpacking(o->quiet),
	};
	(void)argc;
	if (!o->output)
		return cmd_usage(e, "pack: expected -o FILE");
	if (o->compress && !request.is_zstd && strcmp(o->compress, "none") != 0)
		return cmd_usage(e, "option --compress: expected none or zstd, got \"%.40s\"", o->compress);
	int r = trust_open(NULL, &trust, e);
	request.trust = trust;
	if (r == 0)
		r = image_pack(s, &request, e);
	if (r == -ENOSPC || r == -EDQUOT || r == -EFBIG)
		return err_at(e, r, "%s", o->output);
	if (r == 0 && !o->quiet)
		puts(request.digest);
	return r;
}
