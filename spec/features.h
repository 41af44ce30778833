/* SPDX-License-Identifier: Apache-2.0 */
/* What this runtime knows, as the document of runtime-spec features.md, made from the tables. Caller: cli. */
#pragma once

/* Returns the JSON text, which the caller frees. Asks nothing of the host. */
char *spec_features_json(void);
