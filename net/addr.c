/* SPDX-License-Identifier: Apache-2.0 */
/* See addr.h. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "util/mem.h"

enum { ADDRS_MAX = 65536, READ_TRIES = 10 };

/* IFA_PROTO of if_addr.h, which came with 5.18. */
enum { IFA_PROTO_ = 11 };

/* What the kernel sets itself, and what it would take for a wish. if_addr.h. */
static const uint32_t own_flags = IFA_F_PERMANENT | IFA_F_SECONDARY | IFA_F_TENTATIVE | IFA_F_DADFAILED |
				  IFA_F_DEPRECATED | IFA_F_STABLE_PRIVACY;

struct reader {
	int index;
	struct addrs list;
};

static void take_bytes(const struct nlattr *attr, struct addr_bytes *ret)
{
	size_t len = mnl_attr_get_payload_len(attr);
	if (len != 4 && len != 16)
		return;
	memcpy(ret->v, mnl_attr_get_payload(attr), len);
	ret->len = len;
}

static void take_attr(const struct nlattr *attr, struct addr *a)
{
	size_t len = mnl_attr_get_payload_len(attr);
	switch (mnl_attr_get_type(attr)) {
	case IFA_LOCAL:
		take_bytes(attr, &a->local);
		break;
	case IFA_ADDRESS:
		take_bytes(attr, &a->address);
		break;
	case IFA_BROADCAST:
		take_bytes(attr, &a->broadcast);
		break;
	case IFA_LABEL:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 && len <= sizeof(a->label))
			memcpy(a->label, mnl_attr_get_str(attr), len);
		break;
	case IFA_FLAGS:
		if (len == sizeof(uint32_t))
			a->flags = mnl_attr_get_u32(attr);
		break;
	case IFA_CACHEINFO:
		a->has_lifetimes = len >= sizeof(a->lifetimes);
		if (a->has_lifetimes)
			memcpy(&a->lifetimes, mnl_attr_get_payload(attr), sizeof(a->lifetimes));
		break;
	case IFA_RT_PRIORITY:
		if (len == sizeof(uint32_t))
			a->metric = mnl_attr_get_u32(attr);
		break;
	case IFA_PROTO_:
		if (len == 1)
			a->proto = mnl_attr_get_u8(attr);
		break;
	default:
		break;
	}
}

static int read_addr(const struct nlmsghdr *m, void *ctx)
{
	struct reader *r = ctx;
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(m);
	const struct nlattr *attr;
	if (m->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(m) < sizeof(*head))
		return -EPROTO;
	if ((int)head->ifa_index != r->index)
		return 0;
	if (r->list.n == ADDRS_MAX)
		return -E2BIG;
	struct addr a = { .head = *head, .flags = head->ifa_flags };
	nl_for_each(attr, m, sizeof(*head))
		take_attr(attr, &a);
	r->list.v = mem_grow(r->list.v, (r->list.n + 1) * sizeof(a));
	r->list.v[r->list.n++] = a;
	return 0;
}

int addrs_read(struct nl *n, int index, struct addrs *ret, struct err *e)
{
	const struct ifaddrmsg head = { .ifa_family = AF_UNSPEC };
	for (int tries = 0;; tries++) {
		struct reader r = { .index = index };
		struct nl_message m;
		nl_start(&m, RTM_GETADDR, NLM_F_DUMP, &head, sizeof(head));
		int k = nl_ask(n, &m, read_addr, &r, e);
		if (k == 0) {
			*ret = r.list;
			return 0;
		}
		addrs_done(&r.list);
		if (k != -EINTR || tries == READ_TRIES)
			return err_at(e, k, "addresses");
	}
}

void addrs_done(struct addrs *a)
{
	free(a->v);
	*a = (struct addrs){ 0 };
}

bool addr_is_kept(const struct addr *a)
{
	return (a->flags & IFA_F_PERMANENT) && a->head.ifa_scope == RT_SCOPE_UNIVERSE;
}

int addr_label(const struct addr *a, const char *old_name, const char *new_name, char ret[static IFNAMSIZ])
{
	size_t len = strlen(old_name);
	bool is_named = strncmp(a->label, old_name, len) == 0 && (a->label[len] == ':' || !a->label[len]);
	int n = a->label[0] && is_named ? snprintf(ret, IFNAMSIZ, "%s%s", new_name, a->label + len)
					: snprintf(ret, IFNAMSIZ, "%s", a->label);
	return n >= IFNAMSIZ ? -ENAMETOOLONG : 0;
}

static void put_bytes(struct nl_message *m, uint16_t type, const struct addr_bytes *b)
{
	if (b->len)
		nl_put(m, type, b->v, b->len);
}

void addr_add_message(struct nl_message *m, int index, const struct addr *a, const char *label)
{
	struct ifaddrmsg head = a->head;
	uint32_t flags = a->flags & ~own_flags;
	head.ifa_index = (unsigned)index;
	head.ifa_flags = (unsigned char)flags;
	nl_start(m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof(head));
	put_bytes(m, IFA_LOCAL, &a->local);
	put_bytes(m, IFA_ADDRESS, &a->address);
	put_bytes(m, IFA_BROADCAST, &a->broadcast);
	nl_put_u32(m, IFA_FLAGS, flags);
	if (*label)
		nl_put_str(m, IFA_LABEL, label);
	if (a->has_lifetimes)
		nl_put(m, IFA_CACHEINFO, &a->lifetimes, sizeof(a->lifetimes));
	if (a->metric)
		nl_put_u32(m, IFA_RT_PRIORITY, a->metric);
	if (a->proto)
		nl_put(m, IFA_PROTO_, &a->proto, 1);
}

const char *addr_text(const struct addr *a, char buf[static 64])
{
	char ip[INET6_ADDRSTRLEN] = "?";
	const struct addr_bytes *b = a->local.len ? &a->local : &a->address;
	if (b->len)
		inet_ntop(a->head.ifa_family, b->v, ip, sizeof(ip));
	snprintf(buf, 64, "%s/%u", ip, a->head.ifa_prefixlen);
	return buf;
}

int addr_add(struct nl *n, int index, const struct addr *a, const char *label, struct err *e)
{
	struct nl_message m;
	char text[64];
	addr_add_message(&m, index, a, label);
	int r = nl_ask(n, &m, NULL, NULL, e);
	return r < 0 ? err_at(e, r, "address %s", addr_text(a, text)) : 0;
}
