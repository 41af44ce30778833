/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of a network device, IPv4 and IPv6: read, and put on again. For net/ alone. Source: rtnetlink(7). */
#pragma once
#include <linux/if_addr.h>
#include <net/if.h>
#include <stddef.h>

#include "net/nl.h"

struct addr_bytes {
	unsigned char v[16];
	size_t len;               /* 4 or 16; 0: not given */
};

struct addr {
	struct ifaddrmsg head;    /* family, prefix length, scope */
	uint32_t flags;           /* IFA_F_* */
	struct addr_bytes local, address, broadcast;
	char label[IFNAMSIZ];     /* "" : none */
	struct ifa_cacheinfo lifetimes;
	bool has_lifetimes;
	uint32_t metric;          /* of the route that comes with it; 0: the kernel's */
	unsigned char proto;      /* IFAPROT_*; 0: not given */
};

struct addrs {
	struct addr *v;
	size_t n;
};

/* All addresses of a device. The caller frees them by addrs_done. */
int addrs_read(struct nl *n, int index, struct addrs *ret, struct err *e);
void addrs_done(struct addrs *a);

/* Whether config-linux.md "Network Devices" wants it kept: permanent and of global scope. */
bool addr_is_kept(const struct addr *a);

/*
 * The label of an address under another name of its device: "eth0:web" of eth0 is "net0:web" of net0. -ENAMETOOLONG.
 * A label that does not begin with the old name stays as it is.
 */
int addr_label(const struct addr *a, const char *old_name, const char *new_name, char ret[static IFNAMSIZ]);

/* Builds the request that puts an address on a device. */
void addr_add_message(struct nl_message *m, int index, const struct addr *a, const char *label);

/* Puts an address on a device; one that is there already is replaced. */
int addr_add(struct nl *n, int index, const struct addr *a, const char *label, struct err *e);

/* "10.0.0.1/24" for messages. */
const char *addr_text(const struct addr *a, char buf[static 64]);
