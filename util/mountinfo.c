/* SPDX-License-Identifier: Apache-2.0 */
/* See mountinfo.h. */
#include "util/mountinfo.h"

#include <string.h>

enum { POINT_FIELD = 4 };

/* Undoes "\040" and its like in place. */
static void unescape(char *s)
{
	char *to = s;
	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

bool mountinfo_cut(char *line, struct mountinfo *ret)
{
	/* 36 35 98:0 /root /mount/point options [optional fields] - type source options */
	char *dash = strstr(line, " - "), *p = line;
	for (int field = 0; p && field < POINT_FIELD; field++)
		if ((p = strchr(p, ' ')))
			p++;
	if (!dash || !p || p > dash)
		return false;
	ret->point = p;
	ret->type = dash + 3;
	ret->type[strcspn(ret->type, " \n")] = '\0';
	p[strcspn(p, " ")] = '\0';
	unescape(p);
	return true;
}
