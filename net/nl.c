/* SPDX-License-Identifier: Apache-2.0 */
/* See nl.h. */
#include "net/nl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* Longer than any answer in one piece: a link with its virtual functions takes some ten kilobytes. */
enum { ANSWER_BYTES = 256 << 10 };

int nl_open(struct nl *ret, struct err *e)
{
	int on = 1;
	struct nl n = { .socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC), .seq = 0 };
	if (!n.socket || mnl_socket_bind(n.socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int r = err_sys(e, "netlink");
		nl_close(&n);
		return r;
	}
	/* The kernel's words about a failure, since 4.12, without our own message before them. netlink(7). */
	mnl_socket_setsockopt(n.socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(n.socket, NETLINK_CAP_ACK, &on, sizeof(on));
	*ret = n;
	return 0;
}

void nl_close(struct nl *n)
{
	if (n->socket)
		mnl_socket_close(n->socket);
	n->socket = NULL;
}

void nl_start(struct nl_message *m, uint16_t type, uint16_t flags, const void *fixed, size_t len)
{
	/* Attributes are padded; the kernel gets nothing of our stack. */
	memset(m, 0, sizeof(*m));
	m->room = sizeof(m->bytes);
	struct nlmsghdr *head = mnl_nlmsg_put_header(m->bytes);
	head->nlmsg_type = type;
	head->nlmsg_flags = flags | NLM_F_REQUEST | ((flags & NLM_F_DUMP) == NLM_F_DUMP ? 0 : NLM_F_ACK);
	memcpy(mnl_nlmsg_put_extra_header(head, len), fixed, len);
}

void nl_put(struct nl_message *m, uint16_t type, const void *data, size_t len)
{
	if (!mnl_attr_put_check(&m->head, m->room, type, len, data))
		m->is_full = true;
}

void nl_put_str(struct nl_message *m, uint16_t type, const char *text)
{
	nl_put(m, type, text, strlen(text) + 1);
}

void nl_put_u32(struct nl_message *m, uint16_t type, uint32_t value)
{
	nl_put(m, type, &value, sizeof(value));
}

/* NLMSGERR_ATTR_MSG among the attributes behind the error number; NULL when the kernel has not said anything. */
static const char *explanation(const struct nlmsghdr *m)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(m);
	size_t skip = sizeof(*error);
	const struct nlattr *attr;
	if (!(m->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(m->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&error->msg);
	nl_for_each(attr, m, skip)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(attr);
	return NULL;
}

static int refused(const struct nlmsghdr *m, struct err *e)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(m);
	if (mnl_nlmsg_get_payload_len(m) < sizeof(*error))
		return err_new(e, EPROTO, "netlink: an answer is cut off");
	if (error->error == 0)
		return 0;
	const char *words = explanation(m);
	return words ? err_ret(e, error->error, "%s", words) : err_ret(e, error->error, "%s", "");
}

/* One message of an answer. 1: there is more to come. */
static int take(const struct nlmsghdr *m, nl_each *each, void *ctx, struct err *e)
{
	int r;
	if (m->nlmsg_flags & NLM_F_DUMP_INTR)
		return err_ret(e, -EINTR, "netlink: the list changed while it was read");
	switch (m->nlmsg_type) {
	case NLMSG_ERROR:
		return refused(m, e);
	case NLMSG_DONE:
		return 0;
	case NLMSG_NOOP:
		return 1;
	default:
		r = each ? each(m, ctx) : 0;
		return r < 0 ? err_ret(e, r, "netlink: an answer that was not expected") : 1;
	}
}

int nl_ask(struct nl *n, struct nl_message *m, nl_each *each, void *ctx, struct err *e)
{
	static char answer[ANSWER_BYTES] __attribute__((aligned(MNL_ALIGNTO)));
	unsigned port = mnl_socket_get_portid(n->socket);
	if (m->is_full)
		return err_new(e, EMSGSIZE, "netlink: the request is longer than %zu bytes", m->room);
	m->head.nlmsg_seq = ++n->seq;
	if (mnl_socket_sendto(n->socket, &m->head, m->head.nlmsg_len) < 0)
		return err_sys(e, "netlink");
	for (int r = 1; r == 1;) {
		ssize_t got;
		do
			got = mnl_socket_recvfrom(n->socket, answer, sizeof(answer));
		while (got < 0 && errno == EINTR);
		if (got < 0)
			return err_sys(e, "netlink");
		int left = (int)got;
		const struct nlmsghdr *head = (const struct nlmsghdr *)answer;
		for (; r == 1 && mnl_nlmsg_ok(head, left); head = mnl_nlmsg_next(head, &left))
			/* What belongs to a question that was given up is passed over. */
			if (mnl_nlmsg_seq_ok(head, n->seq) && mnl_nlmsg_portid_ok(head, port))
				r = take(head, each, ctx, e);
		if (r <= 0)
			return r;
	}
	return 0;
}
