/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `--change` of import and commit: Dockerfile lines (CMD ENTRYPOINT ENV EXPOSE LABEL STOPSIGNAL USER VOLUME
 * WORKDIR) onto an image config. Part of kist-image only.
 */
#pragma once
#include <jansson.h>
#include "util/err.h"

/* Applies one line to the "config" object of an image config. -EINVAL with words. */
int change_apply(json_t *process, const char *line, struct err *e);
