/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mends what image/check has found. A layer is unpacked again from its blob and swapped in whole, unless a container
 * runs on it: that would see its files go. A broken blob is removed, so that the next load or pull brings it again;
 * images whose manifest or config is gone with it lose their names. Part of kist-image only.
 */
#pragma once
#include "image/check.h"

struct repair_request {
	/* Told what was done; is_wrong: what is still wrong, and what helps. */
	void (*told)(void *ctx, bool is_wrong, const char *line);
	void *ctx;
};

int repair_run(const struct store *s, const struct check_result *found, const struct repair_request *request,
	       struct err *e);
