/* SPDX-License-Identifier: Apache-2.0 */
/* See ref.h. */
#include "image/ref.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c)
{
	return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

bool digest_is_valid(const char *text)
{
	if (!text || strncmp(text, "sha256:", 7) != 0)
		return false;
	return strspn(text + 7, "0123456789abcdef") == 64 && text[7 + 64] == '\0';
}

const char *digest_hex(const char *digest)
{
	return digest + 7;
}

/* A host is told from a first path component as Docker does: it has a dot, a port, or is localhost. */
static bool is_host(const char *s, size_t len)
{
	return memchr(s, '.', len) || memchr(s, ':', len) || (len == 9 && memcmp(s, "localhost", 9) == 0);
}

static bool is_host_valid(const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	size_t host = colon ? (size_t)(colon - s) : len;
	if (host == 0 || s[0] == '-' || s[0] == '.')
		return false;
	for (size_t i = 0; i < host; i++)
		if (!is_word(s[i]) && s[i] != '.' && s[i] != '-')
			return false;
	if (!colon)
		return true;
	size_t digits = len - host - 1;
	for (size_t i = 0; i < digits; i++)
		if (s[host + 1 + i] < '0' || s[host + 1 + i] > '9')
			return false;
	return digits >= 1 && digits <= 5;
}

/* One path component: runs of lower-case letters and digits, with ".", "_", "__" or dashes between them. */
static bool is_component(const char *s, size_t len)
{
	if (len == 0 || !is_lower_or_digit(s[0]) || !is_lower_or_digit(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (is_lower_or_digit(s[i]) || s[i] == '-')
			continue;
		if (s[i] != '.' && s[i] != '_')
			return false;
		/* After "." or "__" (or "_" and another mark) a letter or digit must follow. */
		if (s[i] == '_' && s[i + 1] == '_' && i + 2 < len && is_lower_or_digit(s[i + 2]))
			i++;
		else if (!is_lower_or_digit(s[i + 1]))
			return false;
	}
	return true;
}

static bool is_name(const char *name)
{
	const char *p = name;
	const char *slash = strchr(p, '/');
	if (slash && is_host(p, (size_t)(slash - p))) {
		if (!is_host_valid(p, (size_t)(slash - p)))
			return false;
		p = slash + 1;
	}
	for (;;) {
		size_t len = strcspn(p, "/");
		if (!is_component(p, len))
			return false;
		if (!p[len])
			return true;
		p += len + 1;
	}
}

static bool is_tag(const char *tag)
{
	size_t len = strlen(tag);
	if (len == 0 || len >= REF_TAG_MAX || (!is_word(tag[0]) && tag[0] != '_'))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_word(tag[i]) && !strchr("_.-", tag[i]))
			return false;
	return true;
}

int ref_parse(const char *text, struct ref *ret_ref, struct err *e)
{
	char buf[REF_TEXT_MAX];
	struct ref ref = { .tag = "" };
	size_t len = strlen(text);
	if (len == 0 || len >= sizeof(buf))
		return err_new(e, EINVAL, "image name \"%.80s\": %s", text, len ? "too long" : "empty");
	memcpy(buf, text, len + 1);
	char *at = strchr(buf, '@');
	if (at) {
		*at = '\0';
		if (!digest_is_valid(at + 1))
			return err_new(e, EINVAL,
				       "image name \"%s\": what follows @ is not sha256: and 64 hex digits",
				       text);
		memcpy(ref.digest, at + 1, DIGEST_TEXT_MAX);
	}
	char *colon = strrchr(buf, ':');
	if (colon && !strchr(colon, '/')) {
		*colon = '\0';
		if (!is_tag(colon + 1))
			return err_new(e, EINVAL,
				       "image name \"%s\": bad tag (letters, digits, _ . - up to 128)", text);
		memcpy(ref.tag, colon + 1, strlen(colon + 1) + 1);
	}
	if (strlen(buf) >= REF_NAME_MAX || !is_name(buf))
		return err_new(e, EINVAL,
			       "image name \"%s\": not [HOST/]PATH[:TAG] in lower-case letters and digits",
			       text);
	memcpy(ref.name, buf, strlen(buf) + 1);
	*ret_ref = ref;
	return 0;
}

void ref_text(const struct ref *ref, char out[static REF_TEXT_MAX])
{
	snprintf(out, REF_TEXT_MAX, "%s:%s", ref->name, ref->tag[0] ? ref->tag : "latest");
}

const char *ref_short(const char *name)
{
	static const char *const prefixes[] = {
		"docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/",
		"library/",
	};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i]);
		if (strncmp(name, prefixes[i], len) == 0)
			return name + len;
	}
	return name;
}

const char *ref_path(const char *name)
{
	const char *slash = strchr(name, '/');
	return slash && is_host(name, (size_t)(slash - name)) ? slash + 1 : name;
}

char *ref_signature_tag(const char *digest, char out[static REF_SIGNATURE_TAG_MAX])
{
	snprintf(out, REF_SIGNATURE_TAG_MAX, "sha256-%.64s.sig", digest_hex(digest));
	return out;
}

bool ref_is_signature(const char *name, char *ret_digest)
{
	char digest[DIGEST_TEXT_MAX] = "sha256:";
	const char *colon = strrchr(name, ':');
	const char *tag = colon ? colon + 1 : name;
	if (strlen(tag) != REF_SIGNATURE_TAG_MAX - 1 || strncmp(tag, "sha256-", 7) != 0 ||
	    strcmp(tag + 7 + 64, ".sig") != 0)
		return false;
	memcpy(digest + 7, tag + 7, 64);
	if (!digest_is_valid(digest))
		return false;
	if (ret_digest)
		memcpy(ret_digest, digest, DIGEST_TEXT_MAX);
	return true;
}
