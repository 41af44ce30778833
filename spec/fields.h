/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row per key of config.json. Callers: spec/load, spec/features, cli (update reads resources alone), and
 * the test that holds the rows against the list of keys of the runtime-spec.
 */
#pragma once
#include "util/jx.h"

extern const struct jx_field spec_fields[];	      /* struct spec */
extern const struct jx_field spec_process_fields[];   /* struct spec_process */
extern const struct jx_field spec_linux_fields[];     /* struct spec_linux */
extern const struct jx_field spec_seccomp_fields[];   /* struct spec_seccomp */
extern const struct jx_field spec_resources_fields[]; /* struct spec_resources */
extern const struct jx_field spec_id_map_fields[];    /* struct spec_id_map */
extern const struct jx_field spec_mounts_fields[];    /* struct spec: mounts alone */
