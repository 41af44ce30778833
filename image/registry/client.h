/* SPDX-License-Identifier: Apache-2.0 */
/* What is behind `struct registry`, for registry.c, fetch.c and send.c alone. */
#pragma once
#include "image/registry/session.h"

/* One place where the repository may be had. */
struct target {
	struct session session;
	const struct endpoint *endpoint;
	size_t candidate; /* its name */
	bool is_open;
};

struct registry {
	struct registry_options options;
	struct conf conf;
	struct candidates candidates;
	struct http http;
	struct target *targets; /* in the order in which they are tried */
	size_t target_count;
	pthread_mutex_t lock;  /* while a target is opened */
	struct target *chosen; /* NULL: none has answered with what was asked for */
	char path[REF_NAME_MAX];
	char name[REF_NAME_MAX];
};

/* Something that can be asked of any of the targets. */
typedef int target_fn(struct session *s, void *ctx, struct err *e);

/* Asks the chosen target; or else each in turn, of which the first that succeeds is chosen. */
int registry_ask(struct registry *r, target_fn *ask, void *ctx, struct err *e);

/* The session to talk to: of the chosen target, else of the first. NULL with e filled: it cannot be opened. */
struct session *registry_session(struct registry *r, struct err *e);

/*
 * The next place that has the same name, for what one place lacks or does not get across: of a mirror, another mirror or
 * the registry itself. NULL: there is none, or it cannot be opened.
 */
struct session *registry_next(struct registry *r, const struct session *s);

/* "/v2/PATH/REST" of the session's repository. The caller frees. */
char *registry_url_path(const struct session *s, const char *rest);

/* The token scope for reading and, if `writes`, writing the session's repository. The caller frees. */
char *registry_scope(const struct session *s, bool writes);

/* Tags and digests go into a path, nothing else does. -EINVAL with words. */
int registry_check_what(const char *what, struct err *e);

/* Whether the text is a media type, and so fit for a header and for a message. */
bool registry_is_type(const char *text, size_t len);
