/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which image of an index suits a platform, with the variants of processors: what is said in other words (aarch64,
 * arm64/v8) is one platform, and an older variant does for a newer one. Pure. Part of kist, kist-image and kist-registry,
 * so that all of them see the same image in an index.
 */
#pragma once
#include "image/image.h"

enum { PLATFORM_WORD_MAX = 32, PLATFORM_TEXT_MAX = 3 * PLATFORM_WORD_MAX };

/* In the spelling of images: "linux", "amd64", "v3". No variant: the architecture's usual one. */
struct platform_want {
	char os[PLATFORM_WORD_MAX];
	char arch[PLATFORM_WORD_MAX];
	char variant[PLATFORM_WORD_MAX];
};

/* Reads OS/ARCH[/VARIANT], or ARCH alone of Linux. -EINVAL with words. */
int platform_parse(const char *text, struct platform_want *ret_want, struct err *e);

/* This machine's. */
void platform_host(struct platform_want *ret_want);

/* Writes OS/ARCH[/VARIANT]. */
void platform_text(const struct platform_want *want, char out[static PLATFORM_TEXT_MAX]);

/* The best of an index. NULL with words that name what is there. `what` names the index. */
const struct descriptor *platform_pick(const struct document *index, const struct platform_want *want,
				       const char *what, struct err *e);

/* The best of an index for this machine. */
const struct descriptor *platform_pick_own(const struct document *index, const char *what, struct err *e);

/* True when an image whose config says so is for that platform; what it leaves out fits. */
bool platform_fits(const struct platform_want *want, const char *os, const char *arch, const char *variant);
