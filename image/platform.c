/* SPDX-License-Identifier: Apache-2.0 */
/* See platform.h. Source: image-spec image-index.md "platform" and its table of variants. */
#include "image/platform.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* ---- one spelling for each platform ---- */

/* What kernels and people call architectures. NULL: the word says nothing of a variant. */
static const struct {
	const char *word;
	const char *arch;
	const char *variant;
} archs[] = {
	{ "x86_64", "amd64", NULL },	{ "x86-64", "amd64", NULL }, { "aarch64", "arm64", NULL },
	{ "i386", "386", NULL },	{ "i486", "386", NULL },     { "i586", "386", NULL },
	{ "i686", "386", NULL },	{ "armhf", "arm", "v7" },    { "armel", "arm", "v6" },
	{ "armv8l", "arm", "v8" },	{ "armv7l", "arm", "v7" },   { "armv6l", "arm", "v6" },
	{ "armv5l", "arm", "v5" },	{ "armv5tel", "arm", "v5" }, { "loongarch64", "loong64", NULL },
	{ "ppc64el", "ppc64le", NULL },
};

/* The variant that an architecture without one means. */
static const struct {
	const char *arch;
	const char *variant;
} usual[] = { { "amd64", "v1" }, { "arm64", "v8" }, { "arm", "v7" } };

static const char *usual_variant(const char *arch)
{
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (strcmp(usual[i].arch, arch) == 0)
			return usual[i].variant;
	return "";
}

/* Lower case, as containerd and Docker take them ("Linux/ARM64"). What is too long is cut, and fits nothing. */
static void copy_word(char out[static PLATFORM_WORD_MAX], const char *word, size_t len)
{
	len = len < PLATFORM_WORD_MAX - 1 ? len : PLATFORM_WORD_MAX - 1;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] - 'A' + 'a' : word[i]);
	out[len] = '\0';
}

static void normalize(struct platform_want *p)
{
	for (size_t i = 0; i < ARRAY_LEN(archs); i++)
		if (strcmp(archs[i].word, p->arch) == 0) {
			snprintf(p->arch, sizeof(p->arch), "%s", archs[i].arch);
			if (archs[i].variant && !p->variant[0])
				snprintf(p->variant, sizeof(p->variant), "%s", archs[i].variant);
			break;
		}
	/* "8" is "v8". */
	if (p->variant[0] >= '0' && p->variant[0] <= '9') {
		memmove(p->variant + 1, p->variant, sizeof(p->variant) - 2);
		p->variant[0] = 'v';
	}
	if (strcmp(p->variant, usual_variant(p->arch)) == 0)
		p->variant[0] = '\0';
}

static struct platform_want of_words(const char *os, const char *arch, const char *variant)
{
	struct platform_want p;
	copy_word(p.os, os ? os : "", os ? strlen(os) : 0);
	copy_word(p.arch, arch ? arch : "", arch ? strlen(arch) : 0);
	copy_word(p.variant, variant ? variant : "", variant ? strlen(variant) : 0);
	normalize(&p);
	return p;
}

int platform_parse(const char *text, struct platform_want *ret_want, struct err *e)
{
	struct platform_want p = { .os = "linux" };
	char *const words[] = { p.os, p.arch, p.variant };
	size_t n = 0;
	bool is_arch_alone = !strchr(text, '/');
	for (const char *at = text;; n++) {
		size_t len = strcspn(at, "/");
		if (n == 3 || len == 0 || len >= PLATFORM_WORD_MAX ||
		    strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") < len)
			return err_new(e, EINVAL, "platform \"%.100s\": not OS/ARCH[/VARIANT], as linux/arm64/v8",
				       text);
		copy_word(words[is_arch_alone ? 1 : n], at, len);
		at += len;
		if (!*at++)
			break;
	}
	normalize(&p);
	*ret_want = p;
	return 0;
}

void platform_host(struct platform_want *ret_want)
{
	struct utsname host;
	*ret_want = of_words("linux", uname(&host) < 0 ? "x86_64" : host.machine, NULL);
}

void platform_text(const struct platform_want *want, char out[static PLATFORM_TEXT_MAX])
{
	snprintf(out, PLATFORM_TEXT_MAX, "%s/%s%s%s", want->os, want->arch, want->variant[0] ? "/" : "",
		 want->variant);
}

/* ---- fitting ---- */

/* The number in "v7"; -1: another kind of word, which only fits itself. */
static int level(const struct platform_want *p)
{
	const char *v = p->variant[0] ? p->variant : usual_variant(p->arch);
	char *end;
	long n = *v == 'v' ? strtol(v + 1, &end, 10) : -1;
	return n > 0 && n < 1000 && !*end ? (int)n : -1;
}

/* How well an image for `have` runs on `want`: the higher the better, -1: not at all. */
static int fit(const struct platform_want *want, const struct platform_want *have)
{
	if (strcmp(want->os, have->os) != 0 || strcmp(want->arch, have->arch) != 0)
		return -1;
	if (strcmp(want->variant, have->variant) == 0)
		return 1000;
	int wanted = level(want), had = level(have);
	return wanted > 0 && had > 0 && had <= wanted ? had : -1;
}

bool platform_fits(const struct platform_want *want, const char *os, const char *arch, const char *variant)
{
	const struct platform_want have = of_words(os && *os ? os : want->os, arch && *arch ? arch : want->arch,
						   variant && *variant ? variant
						   : arch && *arch     ? NULL
								       : want->variant);
	return fit(want, &have) >= 0;
}

static void list_platforms(const struct document *index, char *out, size_t size)
{
	size_t at = 0;
	*out = '\0';
	for (size_t i = 0; i < index->manifests.n && at < size; i++) {
		const struct platform *p = index->manifests.v[i].platform;
		/* What buildx puts beside the images, signatures and accounts of builds, is "unknown". */
		if (!p || !p->arch || strcmp(p->arch, "unknown") == 0)
			continue;
		int n = snprintf(out + at, size - at, "%s%s/%s%s%s", at ? ", " : "", p->os ? p->os : "", p->arch,
				 p->variant && *p->variant ? "/" : "", p->variant ? p->variant : "");
		at += n > 0 ? (size_t)n : 0;
	}
}

const struct descriptor *platform_pick(const struct document *index, const struct platform_want *want,
				       const char *what, struct err *e)
{
	const struct descriptor *best = NULL;
	int best_fit = -1;
	for (size_t i = 0; i < index->manifests.n; i++) {
		const struct platform *p = index->manifests.v[i].platform;
		if (!p)
			continue;
		const struct platform_want have = of_words(p->os, p->arch, p->variant);
		int f = fit(want, &have);
		if (f > best_fit) {
			best = &index->manifests.v[i];
			best_fit = f;
		}
	}
	/* A single image that does not say what it is for: its config will. */
	if (!best && index->manifests.n == 1 && !index->manifests.v[0].platform)
		best = &index->manifests.v[0];
	if (!best) {
		char text[PLATFORM_TEXT_MAX], have[400];
		platform_text(want, text);
		list_platforms(index, have, sizeof(have));
		err_new(e, ENOENT, "%s: has no image for %s (there is: %s)", what, text,
			*have ? have : "none at all");
	}
	return best;
}

const struct descriptor *platform_pick_own(const struct document *index, const char *what, struct err *e)
{
	struct platform_want here;
	platform_host(&here);
	return platform_pick(index, &here, what, e);
}
