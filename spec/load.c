/* SPDX-License-Identifier: Apache-2.0 */
/* See load.h. */
#include "spec/load.h"

#include <errno.h>
#include <string.h>

#include "spec/check.h"
#include "spec/fields.h"
#include "util/fd.h"
#include "util/mem.h"

int spec_load_listen(const char *bytes, size_t len, const char *origin, const struct jx_listener *listener,
		     struct spec *ret, struct err *e)
{
	struct spec s = { 0 };
	int r = jx_load(bytes, len, origin, spec_fields, &s, &s.arena, listener, e);
	if (r < 0) {
		spec_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

int spec_load_bytes(const char *bytes, size_t len, const char *origin, struct spec *ret, struct err *e)
{
	return spec_load_listen(bytes, len, origin, NULL, ret, e);
}

int spec_load_file(int dirfd, const char *name, struct spec *ret, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	int r = file_read(dirfd, name, JX_BYTES_MAX, true, &bytes, &len);
	if (r < 0)
		return err_ret(e, r, "%s", name);
	return spec_load_bytes(bytes, len, name, ret, e);
}

int spec_load_process(const char *bytes, size_t len, const char *origin, struct arena *arena, struct spec_process **ret,
		      struct err *e)
{
	struct spec_process *p = arena_new(arena, struct spec_process);
	int r = jx_load(bytes, len, origin, spec_process_fields, p, arena, NULL, e);
	if (r < 0)
		return r;
	r = spec_check_process(p, e);
	if (r < 0)
		return r;
	*ret = p;
	return 0;
}

int spec_load_resources(const char *bytes, size_t len, const char *origin, struct arena *arena,
			struct spec_resources **ret, struct err *e)
{
	struct spec_resources *res = arena_new(arena, struct spec_resources);
	int r = jx_load(bytes, len, origin, spec_resources_fields, res, arena, NULL, e);
	if (r < 0)
		return r;
	*ret = res;
	return 0;
}

/* The list is read as the only member of an object; what is beside it in the text is none of the list. */
static void note_other_key(void *ctx, const char *path, const char *nearest)
{
	(void)nearest;
	if (!strchr(path, '['))
		*(bool *)ctx = true;
}

static int parse_mounts(const char *bytes, size_t len, const char *name, struct arena *arena, struct spec *ret,
			struct err *e)
{
	static const char before[] = "{\"mounts\":";
	bool is_more = bytes[strspn(bytes, " \t\r\n")] != '[';
	const struct jx_listener listener = { .unknown = note_other_key, .ctx = &is_more };
	free_auto char *text = mem_alloc(len + sizeof(before) + 1);
	memcpy(text, before, sizeof(before) - 1);
	memcpy(text + sizeof(before) - 1, bytes, len);
	memcpy(text + sizeof(before) - 1 + len, "}", 2);
	int r = is_more ? 0 : jx_load(text, len + sizeof(before), name, spec_mounts_fields, ret, arena, &listener, e);
	return r == 0 && is_more ? err_new(e, EINVAL, "%s: expected an array of mounts", name) : r;
}

int spec_read_given(const char *name, const char **ret_origin, char **ret_bytes, size_t *ret_len, struct err *e)
{
	*ret_origin = strcmp(name, "-") ? name : "standard input";
	int r = file_read_given(name, JX_BYTES_MAX, ret_bytes, ret_len);
	return r < 0 ? err_ret(e, r, "%s", *ret_origin) : 0;
}

int spec_load_mounts(const char *name, const struct spec *of, struct arena *arena, struct spec_mounts *ret,
		     struct err *e)
{
	struct spec s = { .linux_ = of->linux_ };
	free_auto char *bytes = NULL;
	const char *origin;
	size_t len;
	int r = spec_read_given(name, &origin, &bytes, &len, e);
	if (r == 0)
		r = parse_mounts(bytes, len, origin, arena, &s, e);
	if (r == 0)
		r = spec_check_mounts(&s, e);
	if (r == 0)
		*ret = s.mounts;
	return r;
}

void spec_print(struct str *out, const struct spec *s, int indent)
{
	jx_print(out, spec_fields, s, indent);
}
