/* SPDX-License-Identifier: Apache-2.0 */
/* See numberset.h. */
#include "image/numberset.h"

#include <stdlib.h>

#include "image/fastsum.h"
#include "util/mem.h"

/* Where a number stands, or the free place where it would. */
static size_t place_of(const uint64_t *v, size_t room, uint64_t number)
{
	size_t at = (size_t)fastsum64(&number, sizeof(number)) & (room - 1);
	while (v[at] && v[at] != number)
		at = (at + 1) & (room - 1);
	return at;
}

static void make_room(struct numberset *s)
{
	size_t room = s->room ? s->room * 2 : 1024;
	uint64_t *v = mem_zero(room, sizeof(*v));
	for (size_t i = 0; i < s->room; i++)
		if (s->v[i])
			v[place_of(v, room, s->v[i])] = s->v[i];
	free(s->v);
	s->v = v;
	s->room = room;
}

bool numberset_has(struct numberset *s, uint64_t number)
{
	pthread_mutex_lock(&s->lock);
	bool has = s->n && s->v[place_of(s->v, s->room, number)];
	pthread_mutex_unlock(&s->lock);
	return has;
}

bool numberset_take(struct numberset *s, uint64_t number)
{
	pthread_mutex_lock(&s->lock);
	if (s->n * 2 >= s->room)
		make_room(s);
	size_t at = place_of(s->v, s->room, number);
	bool is_new = !s->v[at];
	s->v[at] = number;
	s->n += is_new;
	pthread_mutex_unlock(&s->lock);
	return is_new;
}

void numberset_done(struct numberset *s)
{
	free(s->v);
	pthread_mutex_destroy(&s->lock);
	s->v = NULL;
}
