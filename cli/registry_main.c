/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist-registry, the program that talks to registries: kist executes it as `kist-registry --store DIR VERB ARG...` for
 * pull, push, login and logout. It is a program of its own, because loading libcurl takes longer than most verbs of
 * kist-image run.
 */
#include "cli/verbs.h"

/* Ends in a row without a name. */
static const struct verb verbs[] = {
	{ "pull", image_cmd_pull, VERB_MAKES_STORE },
	{ "push", image_cmd_push, VERB_READS_STORE },
	{ "login", registry_cmd_login, VERB_WITHOUT_STORE },
	{ "logout", registry_cmd_logout, VERB_WITHOUT_STORE },
	{ NULL, NULL, VERB_WITHOUT_STORE },
};

int main(int argc, char **argv)
{
	return verbs_main("kist-registry", verbs, sizeof(verbs) / sizeof(verbs[0]) - 1, argc, argv);
}
