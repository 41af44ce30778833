/* SPDX-License-Identifier: Apache-2.0 */
/* kist image sign and verify: signatures of stored images by a key, as cosign makes them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cmd.h"
#include "cli/image_cmd.h"
#include "image/names.h"
#include "image/trust/carry.h"
#include "image/trust/payload.h"
#include "image/trust/privkey.h"
#include "image/trust/sigstore.h"
#include "util/fd.h"

/* Splits KEY=VALUE. */
static int read_annotations(const struct opt_list *list, struct arena *arena, struct pairs *ret_pairs, struct err *e)
{
	struct pair *v = arena_array(arena, list->count, sizeof(*v));
	for (size_t i = 0; i < list->count; i++) {
		const char *equals = strchr(list->items[i], '=');
		if (!equals || equals == list->items[i])
			return err_new(e, EINVAL, "--annotation \"%.200s\": not KEY=VALUE", list->items[i]);
		v[i].key = arena_strn(arena, list->items[i], (size_t)(equals - list->items[i]));
		v[i].value = equals + 1;
		if (strcmp(v[i].key, "creator") == 0 || strcmp(v[i].key, "timestamp") == 0)
			return err_new(e, EINVAL, "--annotation %s: kist writes that itself", v[i].key);
		for (size_t j = 0; j < i; j++)
			if (strcmp(v[j].key, v[i].key) == 0)
				return err_new(e, EINVAL, "--annotation %s: twice", v[i].key);
	}
	*ret_pairs = (struct pairs){ .v = v, .n = list->count };
	return 0;
}

/* What an image is called in signatures: as the user says, else its own name in full. */
static int find_identity(const struct image *im, const char *given, const char *word, struct named *ret_named,
			 struct err *e)
{
	if (!given && !im->name)
		return err_new(e, EINVAL, "image \"%s\": has no name: give one by --identity", word);
	int r = named_parse(given ? given : im->name, ret_named, e);
	return r < 0 ? err_at(e, r, given ? "--identity" : "image") : 0;
}

/* ---- sign ---- */

static int sign_one(const struct store *s, const struct image_sign_options *o, const char *word,
		    const struct privkey *key, const struct pairs *annotations, struct err *e)
{
	image_auto struct image im = { .name = NULL };
	ingest_auto struct ingest in = INGEST_NONE;
	str_auto struct str payload = STR_MAX(TRUST_PAYLOAD_MAX);
	free_auto char *signature = NULL;
	char reference[NAMED_TEXT_MAX];
	struct named named;
	int r = image_open(s, word, &im, e);
	if (r < 0 || (r = find_identity(&im, o->identity, word, &named, e)) < 0 || (r = ingest_open(s, &in, e)) < 0)
		return r;
	const struct payload p = { .digest = im.digest, .reference = named_text(&named, reference) };
	payload_print(&payload, &p, annotations, time(NULL));
	if (payload.is_full)
		return err_new(e, E2BIG, "--annotation: more than %d bytes in all", TRUST_PAYLOAD_MAX);
	if ((r = privkey_sign(key, payload.p, payload.len, &signature, e)) < 0)
		return err_at(e, r, "key %s", o->key);
	r = carry_add(&in, im.digest, payload.p, payload.len, signature, e);
	if (r == 0) {
		ingest_unmark(&in);
		printf("%s@%s\n", reference, im.digest);
	}
	return r;
}

int image_cmd_sign(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const struct image_sign_options *o = &options->sign;
	arena_auto struct arena arena = { .top = NULL };
	privkey_auto struct privkey key = PRIVKEY_NONE;
	struct pairs annotations;
	if (o->generate_key && (o->key || argc))
		return err_new(e, EINVAL,
			       "sign: --generate-key makes a key and signs nothing: leave out --key and images");
	if (o->generate_key)
		return privkey_generate(o->generate_key, o->passphrase_file, e);
	if (!o->key || !argc)
		return err_new(e, EINVAL, "sign: %s", o->key ? "name an image" : "give a key by --key FILE");
	int r = read_annotations(&o->annotations, &arena, &annotations, e);
	if (r == 0)
		r = privkey_open(o->key, o->passphrase_file, &key, e);
	for (int i = 0; r == 0 && i < argc; i++)
		r = sign_one(s, o, argv[i], &key, &annotations, e);
	return r;
}

/* ---- verify ---- */

static void collect(void *ctx, const char *payload, size_t len)
{
	struct str *out = ctx;
	str_puts(out, out->len > 1 ? "," : "");
	str_add(out, payload, len);
}

/* NAME:TAG must be the same, NAME the repository; without --identity the image's repository. */
static int by_key(const struct image_verify_options *o, const struct image *im, const char *word,
		  const struct trust_subject *subject, struct err *e)
{
	arena_auto struct arena arena = { .top = NULL };
	pubkeys_auto struct pubkeys keys = { .n = 0 };
	str_auto struct str out = STR_MAX(JX_BYTES_MAX);
	struct pairs annotations;
	struct named wanted;
	int r = pubkeys_add_file(&keys, o->key, e);
	if (r < 0 || (r = read_annotations(&o->annotations, &arena, &annotations, e)) < 0 ||
	    (r = find_identity(im, o->identity, word, &wanted, e)) < 0)
		return r;
	const struct identity id = { .type = o->identity && !named_is_bare(&wanted) ? IDENTITY_EXACT
										    : IDENTITY_REPOSITORY };
	str_puts(&out, "[");
	r = sigstore_check_keys(&keys, &id, &annotations, subject, &wanted, collect, &out, e);
	if (r == 0)
		printf("%s]\n", out.p);
	return r;
}

/* As if the image came from the registry of its name. */
static int by_policy(const struct image_verify_options *o, const struct image *im, const char *word,
		     struct trust_subject *subject, struct err *e)
{
	trust_auto struct trust *trust = NULL;
	struct ref ref;
	const char *name = o->identity ? o->identity : im->name;
	if (!name)
		return err_new(e, EINVAL, "image \"%s\": has no name: give one by --identity", word);
	int r = ref_parse(name, &ref, e);
	if (r < 0 || (r = trust_open(o->policy, &trust, e)) < 0)
		return r;
	subject->ref = &ref;
	r = trust_check(trust, subject, e);
	if (r == 0)
		printf("%s\n", im->digest);
	return r;
}

int image_cmd_verify(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const struct image_verify_options *o = &options->verify;
	image_auto struct image im = { .name = NULL };
	struct trust_fetch fetch;
	(void)argc;
	if (!o->key == !o->policy)
		return cmd_usage(e, "verify: give either --key FILE or --policy FILE");
	if (o->policy && o->annotations.count)
		return cmd_usage(e, "verify: --annotation goes with --key");
	int r = image_open(s, argv[0], &im, e);
	if (r < 0)
		return r;
	const char *digests[] = { im.digest };
	struct trust_subject subject = {
		.transport = "docker", .digests = digests, .digest_count = 1, .fetch = &fetch
	};
	carry_from_store(s, &fetch);
	r = o->key ? by_key(o, &im, argv[0], &subject, e) : by_policy(o, &im, argv[0], &subject, e);
	return r < 0 ? err_at(e, r, "image \"%s\"", argv[0]) : 0;
}
