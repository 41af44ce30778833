/* SPDX-License-Identifier: Apache-2.0 */
/* See freeze_words.h. */
#include "cli/freeze_words.h"

#include <string.h>

#include "util/mem.h"

/* The parser has refused all other words. */
static enum criu_cgroups cgroups_mode(const char *word)
{
	static const char *const words[] = {
		[CRIU_CG_IGNORE] = "ignore", [CRIU_CG_NONE] = "none", [CRIU_CG_PROPS] = "props",
		[CRIU_CG_SOFT] = "soft",     [CRIU_CG_FULL] = "full", [CRIU_CG_STRICT] = "strict",
	};

	for (size_t i = 0; word && i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], word) == 0)
			return (enum criu_cgroups)i;
	return CRIU_CG_SOFT;
}

struct criu_options freeze_words(const struct freeze_options *o)
{
	return (struct criu_options){
		.image_path = o->image_path ? o->image_path : "checkpoint",
		.work_path = o->work_path,
		.tcp_established = o->tcp_established,
		.ext_unix_sk = o->ext_unix_sk,
		.shell_job = o->shell_job,
		.file_locks = o->file_locks,
		.auto_dedup = o->auto_dedup,
		.lazy_pages = o->lazy_pages,
		.is_network_empty = o->empty_ns,
		.cgroups = cgroups_mode(o->cgroups),
		.network_lock = !o->network_lock			   ? CRIU_LOCK_DEFAULT
				: strcmp(o->network_lock, "nftables") == 0 ? CRIU_LOCK_NFTABLES
									   : CRIU_LOCK_IPTABLES,
		.status_fd = -1,
	};
}
