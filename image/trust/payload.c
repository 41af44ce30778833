/* SPDX-License-Identifier: Apache-2.0 */
/* See payload.h. */
#include "image/trust/payload.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "image/ref.h"

struct image_part {
	const char *digest;
};

struct identity_part {
	const char *reference;
};

struct critical {
	struct identity_part *identity;
	struct image_part *image;
	const char *type;
};

struct document_parts {
	struct critical *critical;
};

/* clang-format off */
static const struct jx_field image_rows[] = {
	JX_STR(struct image_part, digest, "docker-manifest-digest", .must = true),
	JX_END
};

static const struct jx_field identity_rows[] = {
	JX_STR(struct identity_part, reference, "docker-reference", .must = true),
	JX_END
};

static const struct jx_field critical_rows[] = {
	JX_OBJ(struct critical, identity, "identity", struct identity_part, identity_rows, .must = true),
	JX_OBJ(struct critical, image, "image", struct image_part, image_rows, .must = true),
	JX_STR(struct critical, type, "type", .must = true),
	JX_END
};

/* Anybody may write anything into "optional". */
static const struct jx_field payload_rows[] = {
	JX_OBJ(struct document_parts, critical, "critical", struct critical, critical_rows, .must = true),
	JX_SKIP("optional"),
	JX_END
};
/* clang-format on */

static void note_unknown(void *ctx, const char *path, const char *nearest)
{
	struct err *e = ctx;
	(void)nearest;
	if (!e->num)
		err_new(e, EBADMSG, "payload: %s: unknown key", path);
}

int payload_load(const char *bytes, size_t len, const char *type, struct arena *arena, struct payload *ret_payload,
		 struct err *e)
{
	struct document_parts doc = { .critical = NULL };
	struct err unknown = { .num = 0 };
	const struct jx_listener listener = { .unknown = note_unknown, .ctx = &unknown };
	int r = jx_load(bytes, len, "payload", payload_rows, &doc, arena, &listener, e);
	if (r < 0) {
		e->num = EBADMSG;
		return strncmp(e->text, "payload", 7) ? err_at(e, -EBADMSG, "payload") : -EBADMSG;
	}
	if (unknown.num) {
		*e = unknown;
		return -EBADMSG;
	}
	if (strcmp(doc.critical->type, type) != 0)
		return err_new(e, EBADMSG, "payload: critical.type: \"%.80s\" is not \"%s\"", doc.critical->type,
			       type);
	if (!digest_is_valid(doc.critical->image->digest))
		return err_new(e, EBADMSG, "payload: critical.image.docker-manifest-digest: \"%.90s\" is none",
			       doc.critical->image->digest);
	*ret_payload = (struct payload){ .type = doc.critical->type,
					 .digest = doc.critical->image->digest,
					 .reference = doc.critical->identity->reference };
	return 0;
}

int payload_has(const char *bytes, size_t len, const char *key, const char *value)
{
	json_t *doc = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	const char *has = json_string_value(json_object_get(json_object_get(doc, "optional"), key));
	int r = has && strcmp(has, value) == 0 ? 0 : -ENOENT;
	json_decref(doc);
	return r;
}

static void put(struct str *out, const char *before, const char *text)
{
	str_puts(out, before);
	jx_print_string(out, text);
}

void payload_print(struct str *out, const struct payload *p, const struct pairs *optional, int64_t timestamp)
{
	put(out, "{\"critical\":{\"identity\":{\"docker-reference\":", p->reference);
	put(out, "},\"image\":{\"docker-manifest-digest\":", p->digest);
	put(out, "},\"type\":", PAYLOAD_COSIGN);
	put(out, "},\"optional\":{\"creator\":", "kist " KIST_VERSION);
	str_fmt(out, ",\"timestamp\":%" PRId64, timestamp);
	for (size_t i = 0; i < optional->n; i++) {
		put(out, ",", optional->v[i].key);
		put(out, ":", optional->v[i].value);
	}
	str_puts(out, "}}");
}
