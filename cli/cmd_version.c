/* SPDX-License-Identifier: Apache-2.0 */
/* kist version and kist --version: three lines that callers parse, then the libraries within. */
#include <jansson.h>
#include <seccomp.h>
#include <stdio.h>

#include "cli/cmd.h"

/* dockerd splits the lines at "version", "commit: " and "spec: ". */
int cmd_version(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct scmp_version *seccomp = seccomp_version();

	(void)cli, (void)options, (void)argc, (void)argv, (void)e;
	printf("kist version %s\ncommit: %s\nspec: 1.3.0\n", KIST_VERSION, KIST_COMMIT);
	printf("libseccomp: %u.%u.%u\n", seccomp->major, seccomp->minor, seccomp->micro);
	printf("jansson: %s\n", jansson_version_str());
	return 0;
}
