/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What will be done, as data: made from a spec without a side effect, printed by `kist plan`, walked by both halves.
 * plan_make decides; plan_open then looks at the host and opens what the plan names, still without changing anything
 * that outlives the process. All memory is the arena's; all descriptors are those of `struct opened`.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cgroup/devices.h"
#include "cgroup/limits.h"
#include "ns/dev.h"
#include "runtime/process.h"
#include "spec/mountopt.h"
#include "spec/spec.h"
#include "util/arena.h"
#include "util/err.h"

/* Facts that rows of the step tables ask for. */
enum plan_need {
	/* the namespaces */
	NEED_USERNS      = 1 << 0,  /* a user namespace is made */
	NEED_USERNS_ID   = 1 << 1,  /* in a user namespace, made or joined: become its root */
	NEED_INSIDE      = 1 << 2,  /* kist itself is in one: no device can be made, no template kept */
	NEED_JOINS       = 1 << 3,  /* the child joins namespaces by path */
	NEED_STAGE       = 1 << 4,  /* user, pid or time namespaces are joined, or a time namespace is made: one more fork */
	NEED_NETWORK     = 1 << 5,  /* a network namespace is made: loopback */
	NEED_NETDEV      = 1 << 6,  /* devices of the host are moved in */
	NEED_CGROUPNS    = 1 << 7,
	NEED_NAMES       = 1 << 8,  /* hostname or domainname */
	NEED_SYSCTL      = 1 << 9,
	NEED_KEYRING     = 1 << 10,
	/* the tree */
	NEED_MOUNTNS     = 1 << 11, /* a mount namespace is made: the tree is built and pivoted into */
	NEED_HOSTED      = 1 << 12, /* the tree is built in a mount namespace that is not the container's: hosted.h */
	NEED_CHROOT      = 1 << 13, /* there is none of its own: chroot instead */
	NEED_DEV         = 1 << 14, /* /dev is not somebody else's: nodes and links are made */
	NEED_MASK        = 1 << 15,
	NEED_READONLY    = 1 << 16,
	NEED_PROPAGATE   = 1 << 17, /* rootfsPropagation is given */
	/* the group */
	NEED_OWNER       = 1 << 18, /* it is given to the container's user */
	NEED_SCOPE       = 1 << 19, /* systemd makes it, for a process that is there: the child waits for it */
	/* the process */
	NEED_PROCESS     = 1 << 20, /* there is one to become */
	NEED_TERMINAL    = 1 << 21,
	NEED_LABEL       = 1 << 22, /* it gets a label of a security module */
	NEED_NOTIFY      = 1 << 23, /* the last mount is the directory of the notify socket */
	NEED_HOOKS       = 1 << 24, /* hooks before the root is entered: prestart, createRuntime or createContainer */
	NEED_START_HOOKS = 1 << 25,
	NEED_TREE        = NEED_MOUNTNS | NEED_HOSTED,  /* the tree is built, in either */
};

enum plan_mount_kind {
	PLAN_NEW,      /* a new instance of a file system */
	PLAN_BIND,     /* a copy of a tree of the host, opened beforehand */
	PLAN_CGROUP,   /* the cgroup tree: new in a cgroup namespace, else a copy of the host's */
	PLAN_REMOUNT,  /* new attributes for what is there */
	PLAN_NOTIFY,   /* a directory of the state directory, which create makes */
};

struct plan_mount {
	const char *where;        /* "mounts[3] /proc": starts every message about it */
	const char *destination;
	const char *type;
	const char *source;
	enum plan_mount_kind kind;
	struct mount_options options;
	bool is_idmapped;
	const struct spec_id_maps *uid_maps, *gid_maps;  /* idmap: its own, or the container's; NULL: of a joined namespace */
	bool is_mode_kept;        /* a tmpfs without mode=: a directory that is there gives it its mode */
	const char *link;         /* copy-symlink, and the source is one: its target; nothing is mounted then */
};

struct plan_join {
	int kind;                 /* CLONE_NEW* */
	const char *path;
};

struct plan {
	const struct spec *spec;
	const char *id;
	const char *bundle;       /* absolute */
	const char *rootfs;       /* absolute path, or NULL: a tree is handed in */
	unsigned need;            /* enum plan_need bits */
	uint64_t new_ns;          /* CLONE_NEW* of clone3, without cgroup and time */
	const struct spec_id_maps *uid_maps, *gid_maps;  /* of the new user namespace, in ids of kist's own */
	bool has_new_time;
	struct plan_join joins[8];
	size_t join_count;
	struct plan_mount *mounts;
	size_t mount_count;
	struct dev_node *nodes;
	size_t node_count;
	unsigned long base_propagation;   /* MS_SLAVE or MS_PRIVATE, for copies of host trees; 0: leave binds as they are */
	struct process_plan process;
	struct process_plan *start_hooks; /* NEED_START_HOOKS: how each is started */
	const char *root_place;   /* NEED_HOOKS, NEED_HOSTED: where the root is to be; NULL: nowhere */
	struct cgroup_limits limits;
	uid_t cgroup_owner;       /* NEED_OWNER: as the host counts */
	struct devices_program devices;
	bool is_no_pivot;
};

/* Which of the joined namespaces is of this kind (CLONE_NEW*): its index, or -1. */
int plan_join_of(const struct plan *p, int kind);

struct plan_options {
	const char *id, *bundle;
	bool is_no_pivot, is_no_keyring;
	unsigned preserve_fds;    /* after listen_fds */
	unsigned listen_fds;
	const char *listen_names; /* NULL: none */
	bool is_notified;         /* a service manager wants to hear when the program is ready */
	bool has_rootfs_tree;     /* the engine hands in a root tree: root.path is not looked at */
	bool has_cache;           /* compiled filters are taken from and kept below state_root */
	int state_root;
	const char *rootfs_path;  /* has_rootfs_tree: an empty directory of the host where hooks find it; or NULL */
	/* By rootless_plan: */
	bool is_inside;           /* kist is in a user namespace itself */
	bool is_setgroups_denied;
	bool adds_userns;         /* the spec has no user namespace, the container gets one */
	const struct spec_id_maps *uid_maps, *gid_maps;  /* in the place of the spec's; NULL: those */
};

/* Decides everything. Pure apart from capget(2) and the cache. -EINVAL, -EOPNOTSUPP with the JSON path. */
int plan_make(const struct spec *spec, const struct plan_options *options, struct arena *arena, struct plan *ret,
	      struct err *e);

/*
 * Decides about mounts alone, for a container that runs: `mounts` as if they stood in its config `spec`. Fills what
 * plan_open_mounts and mounts_make_one look at.
 */
int plan_make_mounts(const struct spec *spec, const struct plan_options *options, struct arena *arena, struct plan *ret,
		     struct err *e);

/* What a plan needs open before the clone; -1 where it needs nothing. */
struct opened {
	int root_tree;            /* detached root file system */
	int null_tree;            /* detached /dev/null, for masks */
	int template_ns;          /* -1: the host's mount namespace is copied */
	int launcher;             /* -1: the template's, or none */
	int joins[8];
	int *trees;               /* one per mount: detached copies for binds; -1 */
	bool *is_file;            /* one per mount: the target is a file */
	size_t tree_count;
};

#define OPENED_NONE ((struct opened){ .root_tree = -1, .null_tree = -1, .template_ns = -1, .launcher = -1, \
				      .joins = { -1, -1, -1, -1, -1, -1, -1, -1 } })

/*
 * Opens roots, bind sources, namespaces and the template. `own_tree` (or -1) is a detached root tree that is taken
 * over. `state_root` is where the template is pinned. Runs in the parent, before any lasting side effect.
 */
int plan_open(struct plan *p, int state_root, int own_tree, struct arena *a, struct opened *ret, struct err *e);

/* Opens the mounts' sources alone. */
int plan_open_mounts(const struct plan *p, struct arena *a, struct opened *ret, struct err *e);
void opened_done(struct opened *o);

#define opened_auto __attribute__((cleanup(opened_done)))

/* Prints a plan as JSON: namespaces, mounts with flags, cgroup writes, capabilities, filter size. */
void plan_print(struct str *out, const struct plan *p);
