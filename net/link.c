/* SPDX-License-Identifier: Apache-2.0 */
/* See link.h. */
#include "net/link.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

static int read_link(const struct nlmsghdr *m, void *ctx)
{
	struct link *l = ctx;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	const struct nlattr *attr;
	if (m->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(m) < sizeof(*info))
		return -EPROTO;
	l->index = info->ifi_index;
	l->flags = info->ifi_flags;
	nl_for_each(attr, m, sizeof(*info)) {
		if (mnl_attr_get_type(attr) != IFLA_IFNAME)
			continue;
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0 || mnl_attr_get_payload_len(attr) > IFNAMSIZ)
			return -EPROTO;
		memcpy(l->name, mnl_attr_get_str(attr), mnl_attr_get_payload_len(attr));
	}
	return 0;
}

int link_find(struct nl *n, const char *name, int index, struct link *ret, struct err *e)
{
	struct nl_message m;
	struct link found = { 0 };
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = name ? 0 : index };
	nl_start(&m, RTM_GETLINK, 0, &info, sizeof(info));
	nl_put_u32(&m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (name)
		nl_put_str(&m, IFLA_IFNAME, name);
	int r = nl_ask(n, &m, read_link, &found, e);
	if (r == 0 && !found.index)
		r = err_new(e, EPROTO, "netlink: no answer about the device");
	if (r == 0)
		*ret = found;
	return r;
}

static void start_set(struct nl_message *m, const struct ifinfomsg *info)
{
	nl_start(m, RTM_SETLINK, 0, info, sizeof(*info));
}

void link_move_message(struct nl_message *m, int index, int ns, const char *name)
{
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	start_set(m, &info);
	nl_put_u32(m, IFLA_NET_NS_FD, (uint32_t)ns);
	nl_put_str(m, IFLA_IFNAME, name);
}

int link_move(struct nl *n, int index, int ns, const char *name, struct err *e)
{
	struct nl_message m;
	link_move_message(&m, index, ns, name);
	return nl_ask(n, &m, NULL, NULL, e);
}

int link_rename(struct nl *n, int index, const char *name, struct err *e)
{
	struct nl_message m;
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	start_set(&m, &info);
	nl_put_str(&m, IFLA_IFNAME, name);
	return nl_ask(n, &m, NULL, NULL, e);
}

int link_set_up(struct nl *n, int index, struct err *e)
{
	struct nl_message m;
	const struct ifinfomsg info = {
		.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP,
	};
	start_set(&m, &info);
	return nl_ask(n, &m, NULL, NULL, e);
}
