/* SPDX-License-Identifier: Apache-2.0 */
/* See caps.h. Names and numbers are libcap's; the child makes bare calls because it must not allocate. */
#include "runtime/caps.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/log.h"
#include "util/mem.h"

int caps_number(const char *name)
{
	cap_value_t n;
	return cap_from_name(name, &n) < 0 ? -1 : (int)n;
}

void caps_print(struct str *out, uint64_t set)
{
	bool is_first = true;
	for (int i = 0; i < 64; i++) {
		if (!(set & (1ULL << i)))
			continue;
		char *name = cap_to_name((cap_value_t)i);
		for (char *p = name; p && *p; p++)
			*p = (char)toupper((unsigned char)*p);
		str_fmt(out, "%s%s", is_first ? "" : ",", name ? name : "?");
		cap_free(name);
		is_first = false;
	}
}

/* Our own permitted set: what we may hand on. capget(2). */
static uint64_t own_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	if (syscall(SYS_capget, &head, data) < 0)
		return 0;
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

static uint64_t set_of(const struct strs *names, const char *which, uint64_t grantable)
{
	uint64_t set = 0;
	for (size_t i = 0; i < names->n; i++) {
		int n = caps_number(names->v[i]);
		if (n < 0 || n > 63)
			log_warn("process.capabilities.%s[%zu]: %s is not known here; left out", which, i, names->v[i]);
		else if (!(grantable & (1ULL << n)))
			log_warn("process.capabilities.%s[%zu]: %s cannot be granted: kist does not have it itself; left out",
				 which, i, names->v[i]);
		else
			set |= 1ULL << n;
	}
	return set;
}

static void warn_lost(const char *which, uint64_t set, const char *why)
{
	str_auto struct str names = STR_MAX(4096);
	if (!set)
		return;
	caps_print(&names, set);
	log_warn("process.capabilities.%s: %s, so left out: %s", which, why, names.p);
}

int caps_plan(const struct spec_capabilities *c, bool is_userns, struct caps *ret, struct err *e)
{
	(void)e;
	static const struct spec_capabilities none;
	if (!c)
		c = &none;
	int last = cap_max_bits() - 1;
	uint64_t known = last >= 63 ? UINT64_MAX : (1ULL << (last + 1)) - 1;
	uint64_t grantable = is_userns ? known : own_caps();
	*ret = (struct caps){
		.last = last,
		.bounding = set_of(&c->bounding, "bounding", grantable),
		.effective = set_of(&c->effective, "effective", grantable),
		.inheritable = set_of(&c->inheritable, "inheritable", grantable),
		.permitted = set_of(&c->permitted, "permitted", grantable),
		.ambient = set_of(&c->ambient, "ambient", grantable),
	};
	/* capabilities(7): effective must be within permitted, ambient within permitted and inheritable. */
	uint64_t lost = ret->effective & ~ret->permitted;
	ret->effective &= ret->permitted;
	uint64_t lost_ambient = ret->ambient & ~(ret->permitted & ret->inheritable);
	ret->ambient &= ret->permitted & ret->inheritable;
	warn_lost("effective", lost, "not permitted");
	warn_lost("ambient", lost_ambient, "not both permitted and inheritable");
	return 0;
}

int caps_drop_bounding(const struct caps *c, struct err *e)
{
	for (int i = 0; i <= c->last; i++)
		if (!(c->bounding & (1ULL << i)) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 && errno != EINVAL)
			return err_sys(e, "drop capability %d from the bounding set", i);
	return 0;
}

int caps_apply(const struct caps *c, struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(c->effective >> (32 * i));
		data[i].permitted = (uint32_t)(c->permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(c->inheritable >> (32 * i));
	}
	if (syscall(SYS_capset, &head, data) < 0)
		return err_sys(e, "capabilities");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(e, "clear the ambient capabilities");
	for (int i = 0; c->ambient >> i && i <= c->last; i++)
		if ((c->ambient & (1ULL << i)) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return err_sys(e, "raise ambient capability %d", i);
	return 0;
}
