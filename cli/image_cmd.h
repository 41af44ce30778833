/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of kist-image and kist-registry: each gets its options and words, and returns 0 or -errno with words. */
#pragma once
#include "cli/options.h"
#include "image/store.h"

/* The struct that a verb's options land in. */
union image_options {
	struct no_options none;
	struct image_load_options load;
	struct image_import_options import;
	struct image_unpack_options unpack;
	struct image_convert_options convert;
	struct image_pack_options pack;
	struct image_ls_options ls;
	struct image_inspect_options inspect;
	struct image_rm_options rm;
	struct image_prune_options prune;
	struct prune_rest_options prune_rest;
	struct image_history_options history;
	struct image_save_options save;
	struct files_options files;
	struct image_check_options check;
	struct image_tree_options tree;
	struct system_df_options df;
	struct image_mount_options mount;
	struct image_unmount_options unmount;
	struct image_pull_options pull;
	struct image_push_options push;
	struct image_sign_options sign;
	struct image_verify_options verify;
	struct login_options login;
	struct logout_options logout;
};

typedef int image_verb_fn(const struct store *s, const union image_options *options, int argc, char **argv,
			  struct err *e);

image_verb_fn image_cmd_load, image_cmd_import, image_cmd_unpack;
image_verb_fn image_cmd_convert, image_cmd_pack;
image_verb_fn image_cmd_ls, image_cmd_exists, image_cmd_inspect;
image_verb_fn image_cmd_rm, image_cmd_prune;
image_verb_fn image_cmd_tag, image_cmd_untag, image_cmd_history, image_cmd_save;
image_verb_fn image_cmd_check, image_cmd_tree, image_cmd_df;
image_verb_fn image_cmd_pull, image_cmd_push;

/* For kist alone: what system prune leaves to it. */
image_verb_fn image_cmd_prune_rest;

/* For kist alone: its descriptors of a container's files come as numbers. */
image_verb_fn image_cmd_files_commit, image_cmd_files_diff, image_cmd_files_export;
image_verb_fn image_cmd_sign, image_cmd_verify;
image_verb_fn registry_cmd_login, registry_cmd_logout;
image_verb_fn image_cmd_mount, image_cmd_unmount;
