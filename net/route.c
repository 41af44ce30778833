/* SPDX-License-Identifier: Apache-2.0 */
/* See route.h. */
#include "net/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "util/mem.h"

enum { ROUTES_MAX = 65536, READ_TRIES = 10 };

struct reader {
	int index;
	struct routes list;
};

static int read_route(const struct nlmsghdr *m, void *ctx)
{
	struct reader *r = ctx;
	const struct rtmsg *head = mnl_nlmsg_get_payload(m);
	const struct nlattr *attr;
	bool is_ours = false;
	if (m->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(m) < sizeof(*head))
		return -EPROTO;
	if (head->rtm_protocol == RTPROT_KERNEL || head->rtm_type != RTN_UNICAST || (head->rtm_flags & RTM_F_CLONED))
		return 0;
	nl_for_each(attr, m, sizeof(*head))
		if (mnl_attr_get_type(attr) == RTA_OIF && mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
			is_ours = (int)mnl_attr_get_u32(attr) == r->index;
	if (!is_ours)
		return 0;
	if (r->list.n == ROUTES_MAX)
		return -E2BIG;
	struct nlmsghdr *copy = mem_alloc(m->nlmsg_len);
	memcpy(copy, m, m->nlmsg_len);
	r->list.v = mem_grow(r->list.v, (r->list.n + 1) * sizeof(copy));
	r->list.v[r->list.n++] = copy;
	return 0;
}

int routes_read(struct nl *n, int index, struct routes *ret, struct err *e)
{
	const struct rtmsg head = { .rtm_family = AF_UNSPEC };
	for (int tries = 0;; tries++) {
		struct reader r = { .index = index };
		struct nl_message m;
		nl_start(&m, RTM_GETROUTE, NLM_F_DUMP, &head, sizeof(head));
		int k = nl_ask(n, &m, read_route, &r, e);
		if (k == 0) {
			*ret = r.list;
			return 0;
		}
		routes_done(&r.list);
		if (k != -EINTR || tries == READ_TRIES)
			return err_at(e, k, "routes");
	}
}

void routes_done(struct routes *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i]);
	free(r->v);
	*r = (struct routes){ 0 };
}

/* What is a report and not a wish is left out: the state of the link, counters and ages. */
static int add_one(struct nl *n, int index, const struct nlmsghdr *told, struct err *e)
{
	struct rtmsg head;
	const struct nlattr *attr;
	struct nl_message m;
	memcpy(&head, mnl_nlmsg_get_payload(told), sizeof(head));
	head.rtm_flags &= RTNH_F_ONLINK;
	nl_start(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof(head));
	nl_for_each(attr, told, sizeof(head)) {
		uint16_t type = mnl_attr_get_type(attr);
		if (type == RTA_OIF)
			nl_put_u32(&m, RTA_OIF, (uint32_t)index);
		else if (type != RTA_CACHEINFO)
			nl_put(&m, type | (attr->nla_type & NLA_F_NESTED), mnl_attr_get_payload(attr),
			       mnl_attr_get_payload_len(attr));
	}
	return nl_ask(n, &m, NULL, NULL, e);
}

int routes_add(struct nl *n, int index, const struct routes *r, struct err *e)
{
	int first = 0;
	/* A gateway is reached by a route that may come later in the list: those without a gateway go first. */
	for (int with_gateway = 0; with_gateway < 2; with_gateway++)
		for (size_t i = 0; i < r->n; i++) {
			const struct nlattr *attr;
			struct err why;
			int has = 0;
			nl_for_each(attr, r->v[i], sizeof(struct rtmsg))
				has |= mnl_attr_get_type(attr) == RTA_GATEWAY || mnl_attr_get_type(attr) == RTA_VIA;
			int k = has == with_gateway ? add_one(n, index, r->v[i], &why) : 0;
			if (k < 0 && first == 0) {
				*e = why;
				first = err_at(e, k, "route");
			}
		}
	return first;
}
