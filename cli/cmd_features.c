/* SPDX-License-Identifier: Apache-2.0 */
/* kist features: the features document of the runtime-spec. Asks nothing of the host and makes nothing. */
#include <stdio.h>

#include "cli/cmd.h"
#include "spec/features.h"
#include "util/mem.h"

int cmd_features(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	free_auto char *text = spec_features_json();

	(void)cli, (void)options, (void)argc, (void)argv;
	if (puts(text) == EOF || fflush(stdout) == EOF)
		return err_sys(e, "standard output");
	return 0;
}
