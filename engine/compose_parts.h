/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a composition, each in a file of its own. For engine/compose*.c alone. */
#pragma once
#include "engine/compose.h"

struct compose {
	const struct compose_options *o;
	const struct image *image;           /* NULL: none */
	const struct compose_place *place;
	struct spec *s;                      /* in the making; its arena holds all */
	struct arena *a;
	bool is_process_given;               /* by the file: what the image says of it does not count */
	bool is_mounts_given;
};

int compose_userns(struct compose *c, struct err *e);
int compose_process(struct compose *c, struct err *e);
int compose_security(struct compose *c, struct err *e);
int compose_mounts(struct compose *c, struct err *e);
int compose_limits(struct compose *c, struct err *e);

/* Puts K=V over what a list has by that name. */
void compose_set_env(struct arena *a, struct strs *env, const char *entry);

/* Takes a kind of namespace out of the list; puts in a new one. */
void compose_drop_namespace(struct compose *c, int kind);
void compose_add_namespace(struct compose *c, int kind);

/* Appends to a list of the arena. */
void compose_add_str(struct arena *a, struct strs *list, const char *text);
void compose_set_pair(struct arena *a, struct pairs *list, const char *key, const char *value);

/* Volumes: makes them in the container's directory or the store, filled with what the image has at their place. */
int volume_anonymous(struct compose *c, const char *destination, size_t number, const char **ret_source, struct err *e);
int volume_named(struct compose *c, const char *name, const char *destination, bool is_copied, const char **ret_source,
		 struct err *e);
