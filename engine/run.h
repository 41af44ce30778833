/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From "run this" to a container that has ended (in the foreground) or that a keeper holds. Two ways in: an OCI bundle,
 * which in the foreground touches nothing but the state directory, and a container with a record in the store, made
 * from an image, from a --config file, or from a bundle with -d. Caller: cli.
 */
#pragma once
#include <stdbool.h>

#include "engine/compose.h"
#include "engine/pull.h"
#include "runtime/create.h"
#include "runtime/criu.h"
#include "spec/spec.h"
#include "util/err.h"
#include "util/mem.h"

struct run_request {
	const char *state_root, *store;
	const char *name;              /* or the id; NULL: made up */
	const char *image;             /* NULL: the config file's annotation, or none */
	enum pull_when pull;
	struct strs pull_words;        /* options of kist-registry pull */
	const char *platform;          /* OS/ARCH[/VARIANT] that the image has to be for; NULL: any */
	const char *config_file;
	const char *bundle, *bundle_config;   /* bundle_config: instead of its config.json; NULL */
	struct compose_options options;
	struct pairs labels;
	const char *stop_signal;
	struct opt_i64 stop_timeout_ms, log_max_bytes, log_max_files;
	bool is_detached, is_rm, is_input, is_keep, is_oci;
	const char *console_socket, *pidfd_socket, *pid_file, *cidfile;
	unsigned preserve_fds;
	struct create_service service;
	bool is_no_pivot, is_no_keyring;
	enum cgroup_manager cgroup_manager;
	const struct criu_options *restore;  /* a bundle's processes come out of these images; NULL: it is run */
};

enum { RUN_NAME_MAX = 256 };

/*
 * A bundle: in the foreground until its program has ended (*ret_status: its status, or 128 + signal); detached with a
 * keeper, or under the OCI face (is_oci) as runc does it, with our own stdio and nobody left behind.
 */
int run_bundle(const struct run_request *rq, int *ret_status, struct err *e);

/* An image or a config file. ret_name: what the container is called. */
int run_container(const struct run_request *rq, char ret_name[static RUN_NAME_MAX], int *ret_status, struct err *e);

/*
 * Runs a stopped container again, with what it was made with: in the foreground (is_attached), or with a keeper; with
 * `restore`, its processes out of these images. -ENOENT: there is no such container, -EBUSY: it is running.
 */
int run_again(const char *state_root, const char *store, const char *name, bool is_attached,
	      const struct criu_options *restore, int *ret_status, struct err *e);

/* Prints what run_bundle or run_container would do, as JSON, without doing it. */
int run_plan(const struct run_request *rq, struct str *out, struct err *e);
