/* SPDX-License-Identifier: Apache-2.0 */
/* See move.h. */
#include "net/move.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/fd.h"

int sides_open(int inside_ns, struct sides *ret, struct err *e)
{
	struct sides s = { .inside_ns = inside_ns };
	s.host_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (s.host_ns < 0)
		return err_sys(e, "/proc/self/ns/net");
	int r = nl_open(&s.host, e);
	if (r == 0 && setns(inside_ns, CLONE_NEWNET) < 0)
		r = err_sys(e, "enter the container's network namespace");
	if (r == 0)
		r = nl_open(&s.inside, e);
	if (r == 0 && setns(s.host_ns, CLONE_NEWNET) < 0)
		r = err_sys(e, "leave the container's network namespace");
	if (r < 0)
		sides_close(&s);
	else
		*ret = s;
	return r;
}

void sides_close(struct sides *s)
{
	nl_close(&s->host);
	nl_close(&s->inside);
	fd_drop(&s->host_ns);
}

void moves_done(struct move *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		addrs_done(&v[i].addrs);
		routes_done(&v[i].routes);
	}
}

static int check_one(struct sides *s, struct move *m, struct err *e)
{
	struct link there;
	struct err none;
	int r = link_find(&s->host, m->host, 0, &m->before, e);
	if (r == -ENODEV)
		return err_new(e, ENODEV, "no such device on the host");
	if (r == 0 && strcmp(m->before.name, m->host) != 0)
		return err_new(e, EINVAL, "this is another name of the device %s, which must be used", m->before.name);
	if (r == 0)
		r = addrs_read(&s->host, m->before.index, &m->addrs, e);
	if (r == 0)
		r = routes_read(&s->host, m->before.index, &m->routes, e);
	if (r == 0 && !strchr(m->name, '%') && link_find(&s->inside, m->name, 0, &there, &none) == 0)
		r = err_new(e, EEXIST, "a device %s is already in the container's network namespace", m->name);
	return r;
}

int moves_check(struct sides *s, struct move *v, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int r = check_one(s, &v[i], e);
		if (r < 0)
			return err_at(e, r, "linux.netDevices.%s", v[i].host);
		for (size_t k = 0; k < i; k++)
			if (v[k].before.index == v[i].before.index)
				return err_new(e, EINVAL, "linux.netDevices.%s: the same device as %s", v[i].host, v[k].host);
	}
	return 0;
}

/*
 * A name between the two: the kernel would take a name with "%d" twice, and a device whose index was taken on the other
 * side is found by its name alone.
 */
static const char *passing_name(const struct link *l, char buf[static IFNAMSIZ])
{
	snprintf(buf, IFNAMSIZ, "kist%x.%x", (unsigned)getpid() & 0x3fffff, (unsigned)l->index & 0xffff);
	return buf;
}

/* A device that has just been moved. Asked again, should the answer be lost: without it there is no way back. */
static int find_moved(struct nl *n, const char *passing, struct link *ret, struct err *e)
{
	int r = link_find(n, passing, 0, ret, e);
	return r < 0 && r != -ENODEV ? link_find(n, passing, 0, ret, e) : r;
}

static int give_addresses(struct sides *s, const struct move *m, const char *name, struct err *e)
{
	for (size_t i = 0; i < m->addrs.n; i++) {
		const struct addr *a = &m->addrs.v[i];
		char label[IFNAMSIZ], text[64];
		if (!addr_is_kept(a))
			continue;
		if (addr_label(a, m->before.name, name, label) < 0)
			return err_new(e, ENAMETOOLONG, "address %s: its label %s would be too long for a device %s",
				       addr_text(a, text), a->label, name);
		int r = addr_add(&s->inside, m->index, a, label, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int move_one(struct sides *s, struct move *m, struct err *e)
{
	char passing[IFNAMSIZ];
	struct link there;
	passing_name(&m->before, passing);
	int r = link_move(&s->host, m->before.index, s->inside_ns, passing, e);
	if (r < 0) {
		struct err none;
		/* It may be the answer alone that was lost. */
		if (find_moved(&s->inside, passing, &there, &none) == 0)
			m->index = there.index;
		return err_at(e, r, "move");
	}
	r = find_moved(&s->inside, passing, &there, e);
	if (r < 0)
		return err_at(e, r, "device %s in the container's network namespace", passing);
	m->index = there.index;
	r = link_rename(&s->inside, m->index, m->name, e);
	if (r < 0)
		return err_at(e, r, "name %s in the container", m->name);
	r = link_find(&s->inside, NULL, m->index, &there, e);
	if (r == 0)
		r = give_addresses(s, m, there.name, e);
	if (r == 0 && (r = link_set_up(&s->inside, m->index, e)) < 0)
		err_at(e, r, "set up");
	return r;
}

/* On the host again: its name, every address, its state, its routes. */
static int restore(struct sides *s, struct move *m, int index, struct err *e)
{
	int r = link_rename(&s->host, index, m->before.name, e);
	if (r < 0)
		return err_at(e, r, "name %s on the host", m->before.name);
	for (size_t i = 0; i < m->addrs.n && r == 0; i++)
		r = addr_add(&s->host, index, &m->addrs.v[i], m->addrs.v[i].label, e);
	if (r == 0 && (m->before.flags & IFF_UP))
		r = link_set_up(&s->host, index, e);
	return r < 0 ? r : routes_add(&s->host, index, &m->routes, e);
}

static int undo_one(struct sides *s, struct move *m, struct err *e)
{
	char passing[IFNAMSIZ];
	struct link back = { 0 };
	passing_name(&m->before, passing);
	int r = link_move(&s->inside, m->index, s->host_ns, passing, e);
	if (r == 0)
		r = find_moved(&s->host, passing, &back, e);
	return r < 0 ? r : restore(s, m, back.index, e);
}

int moves_undo(struct sides *s, struct move *v, size_t n, struct err *e)
{
	int first = 0;
	for (size_t i = n; i-- > 0;) {
		struct err why;
		int r = v[i].index ? undo_one(s, &v[i], &why) : 0;
		v[i].index = 0;
		if (r < 0 && first == 0) {
			*e = why;
			first = err_at(e, r, "device %s: take back", v[i].host);
		}
	}
	return first;
}

int moves_do(struct sides *s, struct move *v, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct err why;
		int r = move_one(s, &v[i], e);
		if (r == 0)
			continue;
		err_at(e, r, "linux.netDevices.%s", v[i].host);
		if (moves_undo(s, v, i + 1, &why) < 0) {
			size_t len = strlen(e->text);
			snprintf(e->text + len, sizeof(e->text) - len, "; %s", why.text);
		}
		return r;
	}
	return 0;
}
