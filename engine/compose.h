/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an image, a --config file and options to one OCI configuration. What wins, lowest first: the engine's defaults,
 * the image's config, the file, the options. Lists are joined by name (env, mounts, rlimits); the file's process.args,
 * mounts and namespaces replace the others' as a whole. Callers: engine/run, engine/plan. Runs in the parent.
 *
 * The defaults are Docker's and podman's where scripts count on them: a writable root, the eleven capabilities that
 * podman gives, no terminal, /dev/null for input; a network namespace with loopback only; no limit that was not asked
 * for. An image is a stranger's word: it can set program, environment, user, working directory and volumes, no more.
 */
#pragma once
#include "image/image.h"
#include "spec/spec.h"
#include "util/err.h"
#include "util/jx.h"

/* The annotation that names the image in a --config file. */
#define COMPOSE_IMAGE "io.kist.image"

/* What was asked for. Strings are NULL, lists empty and numbers without `has` where nothing was said. */
struct compose_options {
	struct strs command;       /* replaces the image's Cmd, or the file's process.args */
	const char *entrypoint;    /* one word; "" takes the image's away */
	const char *hostname, *workdir, *user;
	const char *network;       /* "none" or "host" */
	const char *userns;        /* "host", "auto" or "auto:size=N" */
	struct strs uid_maps, gid_maps; /* CONTAINER:HOST[:COUNT] */
	struct strs env;           /* K=V */
	struct strs volumes, tmpfs, devices, cap_add, cap_drop, security, ulimits, sysctls, annotations, groups;
	struct opt_bool terminal, read_only;
	const char *cpuset_cpus, *cpuset_mems;
	struct opt_i64 shm_bytes, memory_bytes, memory_swap_bytes, memory_reservation_bytes;
	struct opt_i64 nano_cpus, cpu_shares, pids_limit, blkio_weight;
};

/* Where the container is going to be. */
struct compose_place {
	const char *name;
	const struct store *store;
	int tree;                  /* its root, for look-ups; -1: none */
	int dir;                   /* the container's directory in the store; -1: nothing may be made (kist plan) */
	const char *dir_path;      /* its absolute path, and the store's */
	const char *store_path;
};

/*
 * Composes. `file` is the --config file's spec (or zeroed), which is taken over, also on failure. `image` may be NULL;
 * then the tree is a directory of the user's, in which nothing is made. Volumes, /etc/hosts and the like are made in
 * the container's directory, the working directory in its tree. `ret` is freed by spec_done.
 */
int compose(const struct compose_options *o, const struct image *image, struct spec *file,
	    const struct compose_place *place, struct spec *ret, struct err *e);

/* Collects -e and --env-file as K=V; K alone takes the value of our own environment, or is left out. In the arena. */
int compose_env(const struct strs *words, const struct strs *files, struct arena *a, struct strs *ret, struct err *e);
