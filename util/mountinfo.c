/* SPDX-License-Identifier: Apache-2.0 */
/* See mountinfo.h. */
#include "util/mountinfo.h"

#include <string.h>

#include "util/num.h"

static bool is_octal(const char *s)
{
	return s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7';
}

/* Undoes "\040" and its like in place. */
static void unescape(char *s)
{
	char *to = s;
	while (*s)
		if (is_octal(s)) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	*to = '\0';
}

/* "36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
bool mountinfo_cut(char *line, struct mountinfo_line *ret)
{
	enum { ID, PARENT, DEVICE, ROOT, POINT, FIELDS };
	char *dash = strstr(line, " - "), *field[FIELDS], *rest = line;
	for (int i = 0; i < FIELDS; i++)
		if (!(field[i] = strsep(&rest, " ")) || !rest)
			return false;
	const char *id = field[ID], *parent = field[PARENT];
	if (!dash || dash < rest - 1 || !num_take(&id, &ret->id) || !num_take(&parent, &ret->parent))
		return false;
	ret->device = field[DEVICE];
	ret->root = field[ROOT];
	ret->point = field[POINT];
	ret->type = dash + 3;
	ret->type[strcspn(ret->type, " \n")] = '\0';
	unescape(ret->root);
	unescape(ret->point);
	return true;
}
