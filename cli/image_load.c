/* SPDX-License-Identifier: Apache-2.0 */
/* kist image load, import and unpack. */
#include <errno.h>
#include <stdio.h>

#include "cli/image_cmd.h"
#include "image/import.h"
#include "image/load.h"
#include "image/pack.h"
#include "image/packhead.h"

static void print_name(void *ctx, const char *name)
{
	(void)ctx;
	puts(name);
}

static void set_options(struct layerjob_options *out, struct opt_num max_bytes, struct opt_num max_entries, bool is_quiet,
			bool is_verbose)
{
	*out = (struct layerjob_options){
		.limits = inflate_limits_default,
		.style = progress_style(is_quiet, is_verbose),
	};
	if (max_bytes.is_set && max_bytes.value > 0)
		out->limits.bytes = (uint64_t)max_bytes.value;
	if (max_entries.is_set && max_entries.value > 0)
		out->entries = (uint64_t)max_entries.value;
}

int image_cmd_load(const struct store *s, const union image_options *options, int argc, char **argv,
		   struct err *e)
{
	const struct image_load_options *o = &options->load;
	struct load_request request = { .name = o->name, .loaded = print_name };
	set_options(&request.options, o->max_bytes, o->max_entries, o->quiet, o->verbose);
	if (o->input && argc)
		return err_new(e, EINVAL, "load: give an archive by -i or as a word, not both");
	if (o->name && argc > 1)
		return err_new(e, EINVAL, "load: --name can name one image");
	request.path = o->input ? o->input : "-";
	trust_auto struct trust *trust = NULL;
	int r = trust_open(o->policy, &trust, e);
	request.trust = trust;
	if (r == 0 && !argc)
		r = image_load(s, &request, e);
	for (int i = 0; r == 0 && i < argc; i++) {
		request.path = argv[i];
		r = image_load(s, &request, e);
	}
	return r;
}

int image_cmd_import(const struct store *s, const union image_options *options, int argc, char **argv,
		     struct err *e)
{
	const struct image_import_options *o = &options->import;
	struct import_request request = {
		.path = argv[0],
		.name = argc > 1 ? argv[1] : NULL,
		.message = o->message,
		.changes = o->changes.items,
		.change_count = o->changes.count,
	};
	set_options(&request.options, o->max_bytes, o->max_entries, o->quiet, o->verbose);
	trust_auto struct trust *trust = NULL;
	int r = trust_open(o->policy, &trust, e);
	request.trust = trust;
	if (r == 0)
		r = image_import(s, &request, e);
	if (r == 0)
		puts(request.digest);
	return r;
}

int image_cmd_unpack(const struct store *s, const union image_options *options, int argc, char **argv,
		     struct err *e)
{
	struct layerjob_options unpack;
	trust_auto struct trust *trust = NULL;
	(void)argc;
	const struct opt_num none = { .is_set = false };
	set_options(&unpack, none, none, false, false);
	int r = trust_open(options->unpack.policy, &trust, e);
	if (r < 0 || !pack_is_word(argv[0]))
		return r < 0 ? r : image_unpack(s, argv[0], &unpack, trust, e);
	bool is_noted;
	char digest[DIGEST_TEXT_MAX];
	return pack_prepare(s, argv[0], &unpack, trust, &is_noted, digest, e);
}
