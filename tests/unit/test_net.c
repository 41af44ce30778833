/* SPDX-License-Identifier: Apache-2.0 */
/* net/: netlink requests as they are built, labels, and what is kept of addresses. Needs no network. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/addr.h"
#include "net/link.h"

/* The attribute of a message, or NULL. */
static const struct nlattr *find(const struct nl_message *m, size_t fixed, uint16_t type)
{
	const struct nlattr *attr;
	nl_for_each(attr, &m->head, fixed)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static void a_move_names_index_namespace_and_name(void **state)
{
	(void)state;
	struct nl_message m;
	link_move_message(&m, 7, 42, "fifteen-letters");
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(&m.head);
	assert_int_equal(m.head.nlmsg_type, RTM_SETLINK);
	assert_true(m.head.nlmsg_flags & NLM_F_ACK);
	assert_int_equal(info->ifi_index, 7);
	assert_int_equal(mnl_attr_get_u32(find(&m, sizeof(*info), IFLA_NET_NS_FD)), 42);
	const struct nlattr *name = find(&m, sizeof(*info), IFLA_IFNAME);
	assert_string_equal(mnl_attr_get_str(name), "fifteen-letters");
	assert_int_equal(mnl_attr_get_payload_len(name), 16);
	assert_false(m.is_full);
}

static void what_does_not_fit_is_not_sent(void **state)
{
	(void)state;
	static char longer[NL_BYTES + 1];
	static struct { char before[64]; struct nl_message m; char after[64]; } guarded;
	const struct ifinfomsg info = { .ifi_index = 1 };
	struct nl n = { 0 };
	struct err e = { 0 };
	memset(longer, 'x', sizeof(longer) - 1);
	memset(guarded.after, 0x5a, sizeof(guarded.after));
	nl_start(&guarded.m, RTM_SETLINK, 0, &info, sizeof(info));
	nl_put_str(&guarded.m, IFLA_IFNAME, longer);
	assert_true(guarded.m.is_full);
	uint32_t len = guarded.m.head.nlmsg_len;
	nl_put_str(&guarded.m, IFLA_IFNAME, "fits");
	assert_true(guarded.m.is_full); /* once full, for good: an attribute is missing */
	assert_true(guarded.m.head.nlmsg_len > len);
	for (size_t i = 0; i < sizeof(guarded.after); i++)
		assert_int_equal(guarded.after[i], 0x5a);
	/* Without a socket: it must be refused before it is sent. */
	n.socket = mnl_socket_open(NETLINK_ROUTE);
	assert_int_equal(nl_ask(&n, &guarded.m, NULL, NULL, &e), -EMSGSIZE);
	assert_string_equal(e.text, "netlink: the request is longer than 4096 bytes");
	nl_close(&n);
}

static void the_last_byte_of_the_room_counts(void **state)
{
	(void)state;
	const struct ifinfomsg info = { .ifi_index = 1 };
	struct nl_message m;
	/* An attribute of 8 bytes: its head and one number. */
	nl_start(&m, RTM_SETLINK, 0, &info, sizeof(info));
	m.room = m.head.nlmsg_len + 8;
	nl_put_u32(&m, IFLA_MTU, 1);
	assert_false(m.is_full);
	nl_start(&m, RTM_SETLINK, 0, &info, sizeof(info));
	m.room = m.head.nlmsg_len + 7;
	nl_put_u32(&m, IFLA_MTU, 1);
	assert_true(m.is_full);
}

static struct addr an_address(void)
{
	struct addr a = {
		.head = { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_scope = RT_SCOPE_UNIVERSE, .ifa_index = 3 },
		.flags = IFA_F_PERMANENT | IFA_F_SECONDARY | IFA_F_NOPREFIXROUTE,
		.local.len = 4, .address.len = 4, .label = "eth0:web", .metric = 7,
		.lifetimes = { .ifa_prefered = 0, .ifa_valid = UINT32_MAX }, .has_lifetimes = true,
	};
	inet_pton(AF_INET, "10.0.0.1", a.local.v);
	inet_pton(AF_INET, "10.0.0.2", a.address.v);
	return a;
}

static void an_address_goes_as_it_came_but_for_the_kernels_flags(void **state)
{
	(void)state;
	struct addr a = an_address();
	struct nl_message m;
	char text[64];
	addr_add_message(&m, 9, &a, "net0:web");
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(&m.head);
	assert_int_equal(head->ifa_index, 9);
	assert_int_equal(head->ifa_prefixlen, 24);
	assert_int_equal(mnl_attr_get_u32(find(&m, sizeof(*head), IFA_FLAGS)), IFA_F_NOPREFIXROUTE);
	assert_memory_equal(mnl_attr_get_payload(find(&m, sizeof(*head), IFA_LOCAL)), a.local.v, 4);
	assert_memory_equal(mnl_attr_get_payload(find(&m, sizeof(*head), IFA_ADDRESS)), a.address.v, 4);
	assert_string_equal(mnl_attr_get_str(find(&m, sizeof(*head), IFA_LABEL)), "net0:web");
	assert_memory_equal(mnl_attr_get_payload(find(&m, sizeof(*head), IFA_CACHEINFO)), &a.lifetimes,
			    sizeof(a.lifetimes));
	assert_int_equal(mnl_attr_get_u32(find(&m, sizeof(*head), IFA_RT_PRIORITY)), 7);
	assert_null(find(&m, sizeof(*head), IFA_BROADCAST));
	assert_string_equal(addr_text(&a, text), "10.0.0.1/24");
}

static void what_is_kept(void **state)
{
	(void)state;
	struct addr a = an_address();
	assert_true(addr_is_kept(&a));
	a.head.ifa_scope = RT_SCOPE_LINK;
	assert_false(addr_is_kept(&a));
	a = an_address();
	a.flags &= ~(uint32_t)IFA_F_PERMANENT;
	assert_false(addr_is_kept(&a));
}

static void labels_follow_the_name(void **state)
{
	(void)state;
	static const struct {
		const char *label, *old_name, *new_name, *want;   /* want NULL: too long */
	} rows[] = {
		{ "eth0", "eth0", "net5", "net5" },
		{ "eth0:web", "eth0", "n", "n:web" },
		{ "eth01", "eth0", "net5", "eth01" },
		{ "", "eth0", "net5", "" },
		{ "other:x", "eth0", "net5", "other:x" },
		{ "eth0:0123456789", "eth0", "net5", "net5:0123456789" },
		{ "eth0:0123456789", "eth0", "net55", NULL },
		{ "eth0", "eth0", "fifteen-letters", "fifteen-letters" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a = an_address();
		char label[IFNAMSIZ];
		snprintf(a.label, sizeof(a.label), "%s", rows[i].label);
		int r = addr_label(&a, rows[i].old_name, rows[i].new_name, label);
		assert_int_equal(r, rows[i].want ? 0 : -ENAMETOOLONG);
		if (rows[i].want)
			assert_string_equal(label, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_move_names_index_namespace_and_name),
		cmocka_unit_test(what_does_not_fit_is_not_sent),
		cmocka_unit_test(the_last_byte_of_the_room_counts),
		cmocka_unit_test(an_address_goes_as_it_came_but_for_the_kernels_flags),
		cmocka_unit_test(what_is_kept),
		cmocka_unit_test(labels_follow_the_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
