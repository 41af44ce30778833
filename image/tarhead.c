/* SPDX-License-Identifier: Apache-2.0 */
/* See tarhead.h. Source: pax(1) "ustar Interchange Format", "pax Extended Header". */
#include "image/tarhead.h"

#include <stdio.h>
#include <string.h>

/* One pax record, "LENGTH KEY=VALUE\n", whose length counts its own digits. */
static void pax_add(struct str *pax, const char *space, const char *key, const void *value, size_t len)
{
	size_t body = strlen(space) + strlen(key) + len + 3, total = body;
	for (;;) {
		char digits[24];
		size_t with = body + (size_t)snprintf(digits, sizeof(digits), "%zu", total);
		if (with == total)
			break;
		total = with;
	}
	str_fmt(pax, "%zu %s%s=", total, space, key);
	str_add(pax, value, len);
	str_puts(pax, "\n");
}

static void pax_text(struct str *pax, const char *key, const char *text)
{
	pax_add(pax, "", key, text, strlen(text));
}

static void octal(char *field, size_t size, uint64_t value)
{
	field[size - 1] = '\0';
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

/* A number that does not fit its octal field goes into a pax record, and 0 into the field. */
static void number(struct str *pax, const char *key, char *field, size_t size, uint64_t value)
{
	char text[24];
	bool fits = value < 1ULL << (3 * (size - 1));
	octal(field, size, fits ? value : 0);
	if (fits)
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	pax_text(pax, key, text);
}

static void add_header(char h[static TAR_BLOCK_SIZE], char type, struct str *out)
{
	unsigned int sum = 0;
	h[156] = type;
	memcpy(h + 257,
	       "ustar\0"
	       "00",
	       8);
	memset(h + 148, ' ', 8);
	for (int i = 0; i < TAR_BLOCK_SIZE; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	str_add(out, h, TAR_BLOCK_SIZE);
}

static void add_pax(const struct str *pax, struct str *out)
{
	static const char zeros[TAR_BLOCK_SIZE];
	char h[TAR_BLOCK_SIZE] = "PaxHeader";
	if (!pax->len)
		return;
	octal(h + 100, 8, 0644);
	octal(h + 108, 8, 0);
	octal(h + 116, 8, 0);
	octal(h + 124, 12, pax->len);
	octal(h + 136, 12, 0);
	add_header(h, 'x', out);
	str_add(out, pax->p, pax->len);
	str_add(out, zeros, tar_pad(pax->len));
}

static void add_time(struct str *pax, char *h, struct timespec t)
{
	char text[48];
	int64_t sec = t.tv_sec;
	bool is_plain = sec >= 0 && t.tv_nsec == 0;
	octal(h + 136, 12, sec > 0 && sec < 1LL << 33 ? (uint64_t)sec : 0);
	if (is_plain && sec < 1LL << 33)
		return;
	if (sec >= 0)
		snprintf(text, sizeof(text), "%lld.%09ld", (long long)sec, t.tv_nsec);
	else if (t.tv_nsec)
		snprintf(text, sizeof(text), "-%lld.%09ld", (long long)-(sec + 1), 1000000000 - t.tv_nsec);
	else
		snprintf(text, sizeof(text), "%lld", (long long)sec);
	pax_text(pax, "mtime", text);
}

void tar_head(const struct tar_entry *en, struct str *pax, struct str *out)
{
	static const char types[] = {
		[TAR_FILE] = '0', [TAR_HARDLINK] = '1', [TAR_SYMLINK] = '2', [TAR_CHAR] = '3',
		[TAR_BLOCK] = '4', [TAR_DIR] = '5', [TAR_FIFO] = '6',
	};
	char h[TAR_BLOCK_SIZE] = { 0 };
	size_t len = strlen(en->path), link_len = en->link ? strlen(en->link) : 0;
	bool is_device = en->type == TAR_CHAR || en->type == TAR_BLOCK;
	pax->len = 0;
	memcpy(h, en->path, len < 100 ? len : 100);
	memcpy(h + 157, en->link ? en->link : "", link_len < 100 ? link_len : 100);
	if (len > 100)
		pax_text(pax, "path", en->path);
	if (link_len > 100)
		pax_text(pax, "linkpath", en->link);
	octal(h + 100, 8, en->mode & 07777);
	number(pax, "uid", h + 108, 8, en->uid);
	number(pax, "gid", h + 116, 8, en->gid);
	number(pax, "size", h + 124, 12, en->type == TAR_FILE ? en->size : 0);
	add_time(pax, h, en->mtime);
	octal(h + 329, 8, is_device ? en->dev_major : 0);
	octal(h + 337, 8, is_device ? en->dev_minor : 0);
	for (size_t i = 0; i < en->xattr_count && en->type != TAR_HARDLINK; i++)
		pax_add(pax, "SCHILY.xattr.", en->xattrs[i].name, en->xattrs[i].value, en->xattrs[i].len);
	add_pax(pax, out);
	add_header(h, types[en->type], out);
}
