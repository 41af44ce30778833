/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two halves say to each other: typed messages over a SOCK_SEQPACKET socket pair (unix(7)), each whole or
 * not at all, with at most one descriptor. A failure crosses as the flat struct err. End of file means that the
 * other half is gone, or has become the program (close-on-exec).
 */
#pragma once
#include "util/err.h"

enum sync_type {
	SYNC_EOF,      /* never sent: the other end has closed */
	SYNC_LOST,     /* never sent: it has closed without reading what we sent */
	SYNC_CHILD,    /* stage to parent: value is the pid of the process it has cloned */
	SYNC_MAPPED,   /* parent to child: the id maps are written */
	SYNC_DEVICES,  /* parent to child: the network devices are there */
	SYNC_READY,    /* child to parent: everything but exec is done; a descriptor: the terminal's master */
	SYNC_GO,       /* parent to child: become the program */
	SYNC_DETACH,   /* parent to child: outlive me, and wait at the gate */
	SYNC_DETACHED, /* child to parent: done so */
	SYNC_LISTENER, /* child to parent: the descriptor of the filter's notifications (filter.h) */
	SYNC_ERROR,    /* child to parent: the account of a failure */
	/* New ones go behind SYNC_ERROR: the launcher of a template may be older than we are. */
	SYNC_HOOKS,    /* child to parent: everything is there for prestart and createRuntime hooks */
	SYNC_HOOKED,   /* parent to child: they have run */
	SYNC_ABORT,    /* child to parent: an error of a startContainer hook: the container is to be destroyed */
};

/* What travels: the words of an error only as far as they go. The launcher writes one too (runtime/launcher). */
struct sync_wire {
	int type, value, num, exit;
	char text[ERR_TEXT_MAX];
};

struct sync_message {
	enum sync_type type;
	int value;
	int fd;           /* -1: none; the receiver owns it */
	struct err err;   /* SYNC_ERROR, SYNC_ABORT */
};

/* Makes the pair; both ends close on exec. */
int sync_pair(int ret_ends[static 2], struct err *e);

/* Sends a message; `fd` -1 for none. 0 or -errno (-EPIPE: nobody is there). */
int sync_send(int end, enum sync_type type, int value, int fd);
int sync_send_error(int end, const struct err *err);
int sync_send_abort(int end, const struct err *err);

/* Waits for a message. 0 or -errno; the end of the stream is SYNC_EOF or SYNC_LOST. */
int sync_receive(int end, struct sync_message *ret);

/* The same, but for the end of the process of `pidfd` too, whoever else still holds the other end. */
int sync_receive_of(int end, int pidfd, struct sync_message *ret);
