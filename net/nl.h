/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One conversation with the kernel's routing netlink: messages whose attributes are checked for room, answers with the
 * kernel's own explanation of a failure. For net/ alone. Sources: netlink(7), rtnetlink(7), libmnl's attribute API.
 */
#pragma once
#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"

struct nl {
	struct mnl_socket *socket;
	unsigned seq;
};

enum { NL_BYTES = 4096 };

/* A request under construction. What does not fit sets is_full, and nl_ask refuses to send it. */
struct nl_message {
	union {
		struct nlmsghdr head;
		char bytes[NL_BYTES];
	};
	size_t room;        /* bytes that may be used: NL_BYTES, less in tests */
	bool is_full;
};

/* Opens a conversation in the network namespace that the process is in. */
int nl_open(struct nl *ret, struct err *e);
void nl_close(struct nl *n);

#define nl_auto __attribute__((cleanup(nl_close)))

/* Starts a message: its type (RTM_*), flags (NLM_F_*), and the fixed part that every message of this type has. */
void nl_start(struct nl_message *m, uint16_t type, uint16_t flags, const void *fixed, size_t len);

/* Adds an attribute; strings with their NUL. */
void nl_put(struct nl_message *m, uint16_t type, const void *data, size_t len);
void nl_put_str(struct nl_message *m, uint16_t type, const char *text);
void nl_put_u32(struct nl_message *m, uint16_t type, uint32_t value);

/* libmnl's mnl_attr_for_each, without the cast that drops const. `skip`: bytes of the fixed part. */
#define nl_for_each(attr, m, skip) \
	for ((attr) = mnl_nlmsg_get_payload_offset((m), (skip)); \
	     mnl_attr_ok((attr), (int)((const char *)mnl_nlmsg_get_payload_tail(m) - (const char *)(attr))); \
	     (attr) = mnl_attr_next(attr))

/* Gets each message of an answer. 0, or -errno to stop with. */
typedef int nl_each(const struct nlmsghdr *m, void *ctx);

/*
 * Sends a request and reads until its end; `each` may be NULL. -errno with the kernel's words; -EMSGSIZE: the request
 * had no room for its attributes. -EINTR: a list that changed while it was read, to be asked for again.
 */
int nl_ask(struct nl *n, struct nl_message *m, nl_each *each, void *ctx, struct err *e);
