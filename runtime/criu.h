/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRIU as a program: `criu swrk FD` is asked over a socket to dump or to restore a process tree, and tells how it went.
 * Its command line would not do: a terminal's master, and the moment at which the restored processes are complete but
 * do not run yet, are told over the socket only. Callers: runtime/checkpoint, runtime/restore.
 * Sources: criu(8); /usr/include/criu/rpc.proto, whose field numbers are in criu_opts.c; criu.org "RPC".
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/err.h"
#include "util/jx.h"
#include "util/mem.h"

/* enum criu_cg_mode of rpc.proto */
enum criu_cgroups { CRIU_CG_IGNORE, CRIU_CG_NONE, CRIU_CG_PROPS, CRIU_CG_SOFT, CRIU_CG_FULL, CRIU_CG_STRICT };

/* enum criu_network_lock_method of rpc.proto; 0: CRIU's default */
enum criu_lock { CRIU_LOCK_DEFAULT, CRIU_LOCK_IPTABLES, CRIU_LOCK_NFTABLES };

/* What a caller can ask of checkpoint and restore. Strings are borrowed. */
struct criu_options {
	const char *image_path;      /* directory of the images */
	const char *work_path;       /* directory of the log; NULL: image_path */
	bool tcp_established, ext_unix_sk, shell_job, file_locks, auto_dedup, lazy_pages, is_network_empty;
	enum criu_cgroups cgroups;
	enum criu_lock network_lock;
	const char *config_file;     /* annotation org.criu.config; NULL: /etc/criu/kist.conf if there is one */
	/* checkpoint only */
	const char *parent_path;     /* images of an earlier pre-dump, relative to image_path */
	const char *page_server;     /* ADDRESS:PORT */
	int status_fd;               /* told when lazy pages can be fetched; -1 */
	bool leave_running, is_pre_dump, tcp_skip_in_flight, link_remap;
	/* restore only */
	bool tcp_close;
	const char *lsm_profile, *lsm_mount_context;
};

/* The two directories of a call, open. */
struct criu_dirs {
	int images, work;
	const char *log_name;        /* below work: "dump.log", "restore.log" */
	const char *image_path, *work_path;  /* as the caller named them; borrowed */
};

#define CRIU_DIRS_NONE ((struct criu_dirs){ -1, -1, NULL, NULL, NULL })

/* Opens both; `make`: making what is missing, mode 0700. -ENOENT, -ENOTDIR. */
int criu_dirs_open(const struct criu_options *o, bool make, const char *log_name, struct criu_dirs *ret, struct err *e);
void criu_dirs_done(struct criu_dirs *d);

#define criu_dirs_auto __attribute__((cleanup(criu_dirs_done)))

/* The settings file that a container's annotation "org.criu.config" names, as with runc and crun; NULL: none. */
const char *criu_config_file(const struct pairs *annotations);

/* Appends what both verbs have in common to a criu_opts message. -EINVAL: page_server is no ADDRESS:PORT. */
int criu_put_common(struct str *opts, const struct criu_options *o, const struct criu_dirs *d, struct err *e);

/* Appends one external resource ("mnt[/a]:b"). criu(8), --external. */
void criu_put_external(struct str *opts, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends a descriptor that stands for a resource of the images. criu(8), --inherit-fd. */
void criu_put_inherit(struct str *opts, const char *resource, int fd);

/* enum criu_req_type of rpc.proto; the pre-dump is the one after which criu does not wait for another. */
enum criu_verb { CRIU_DUMP = 1, CRIU_RESTORE = 2, CRIU_PRE_DUMP = 13 };

struct criu_call {
	enum criu_verb verb;
	const struct str *opts;          /* a criu_opts message */
	const int *inherit;              /* descriptors that criu has under the same numbers */
	size_t inherit_count;
	/*
	 * Runs in the process that becomes criu, before execve, in a mount namespace of its own; or NULL: criu has ours. It
	 * may put another descriptor of the images' directory in the place of *images.
	 */
	int (*before)(void *ctx, int *images, struct err *e);
	/*
	 * A stage is reached ("setup-namespaces", "post-restore", ...); or NULL. `pid` is the root task's; `fd` came with
	 * the message (-1) and is the callee's. A failure ends the call, and is what it returns.
	 */
	int (*notify)(void *ctx, const char *script, pid_t pid, int own_fd, struct err *e);
	void *ctx;
};

/* Finds criu in PATH. -ENOENT says which package has it. The caller frees. */
int criu_find(char **ret_program, struct err *e);

/*
 * Runs criu for one request and waits for its end. ret_pid (or NULL): the restored root task, a child of ours. When
 * criu fails the message holds the last errors of its log, and names the log. -EIO.
 */
int criu_call(const char *program, const struct criu_call *call, const struct criu_dirs *dirs, pid_t *ret_pid,
	      struct err *e);
