/* SPDX-License-Identifier: Apache-2.0 */
/* What the ways to run a container share. For engine/run*.c alone; run.c has them. */
#pragma once
#include "engine/launch.h"
#include "engine/run.h"

/* Where a container comes from: the store, an image of it, a config file. */
struct run_source {
	struct store store;
	struct image image;
	bool has_image;
	const char *image_word;   /* as it was named */
	struct spec file;         /* of --config; zeroed without, or once compose has it */
	char *config_dir;         /* absolute directory of the --config file; NULL */
	const char *store_path;   /* absolute */
	struct arena arena;
};

/* Reads what is named. is_plan: makes no store. */
int run_load_source(const struct run_request *rq, bool is_plan, struct run_source *ret, struct err *e);
void run_source_done(struct run_source *s);

#define run_source_auto __attribute__((cleanup(run_source_done)))

/* An absolute path in the arena, symlinks and ".." left as they are. */
char *run_absolute(struct arena *a, const char *path);

/* Opens the root directory that a config file without an image names. */
int run_open_rootfs(const struct run_source *s, struct err *e);

int run_write_record(const struct run_request *rq, const struct run_source *s, struct record_dir *d,
		     const struct spec *spec, const char *bundle, struct err *e);
int run_write_config(const struct record_dir *d, const char *text, size_t len, struct err *e);
int run_write_cidfile(const char *path, const char *name, struct err *e);

/*
 * Hooks find an image's container like any other: the bundle is its directory in the store, where config.json is, and the
 * root appears at `rootfs` in it, in the container's mount namespace. `dir_path` is borrowed.
 */
int run_place_hooks(struct create_request *create, const struct record_dir *d, const char *dir_path, struct arena *a,
		    struct err *e);

struct create_request run_create_request(const struct run_request *rq, const char *id, const struct spec *spec);
struct launch run_launch(const struct run_request *rq, struct create_request *create, struct spec *spec,
			 struct record_dir *dir);
