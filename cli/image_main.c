/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist-image, the program that moves bytes: kist executes it as `kist-image --store DIR VERB ARG...` for the
 * verbs of `kist image`. It lives in libexec, links what kist does not (zstd, ISA-L, libcrypto), and prints
 * its own errors.
 */
#include "cli/verbs.h"
#include "util/mem.h"

static const struct verb verbs[] = {
	{ "load", image_cmd_load, VERB_MAKES_STORE },	    { "import", image_cmd_import, VERB_MAKES_STORE },
	{ "unpack", image_cmd_unpack, VERB_MAKES_STORE },   { "ls", image_cmd_ls, VERB_READS_STORE },
	{ "list", image_cmd_ls, VERB_READS_STORE },	    { "exists", image_cmd_exists, VERB_READS_STORE },
	{ "inspect", image_cmd_inspect, VERB_READS_STORE }, { "rm", image_cmd_rm, VERB_READS_STORE },
	{ "prune", image_cmd_prune, VERB_READS_STORE },	    { "tag", image_cmd_tag, VERB_MAKES_STORE },
	{ "untag", image_cmd_untag, VERB_MAKES_STORE },	    { "history", image_cmd_history, VERB_READS_STORE },
	{ "save", image_cmd_save, VERB_READS_STORE },
	{ "check", image_cmd_check, VERB_READS_STORE },   { "tree", image_cmd_tree, VERB_READS_STORE },
	{ "system-df", image_cmd_df, VERB_READS_STORE },
	{ "prune-rest", image_cmd_prune_rest, VERB_READS_STORE },
	{ "file-commit", image_cmd_files_commit, VERB_MAKES_STORE },
	{ "file-diff", image_cmd_files_diff, VERB_WITHOUT_STORE },
	{ "file-export", image_cmd_files_export, VERB_WITHOUT_STORE },
	{ "sign", image_cmd_sign, VERB_READS_STORE },
	{ "verify", image_cmd_verify, VERB_READS_STORE },
	{ "convert", image_cmd_convert, VERB_MAKES_STORE }, { "pack", image_cmd_pack, VERB_MAKES_STORE },
	{ "mount", image_cmd_mount, VERB_READS_STORE },  { "unmount", image_cmd_unmount, VERB_READS_STORE },
	{ "umount", image_cmd_unmount, VERB_READS_STORE },
};

int main(int argc, char **argv)
{
	return verbs_main("kist-image", verbs, ARRAY_LEN(verbs), argc, argv);
}
