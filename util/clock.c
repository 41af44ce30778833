/* SPDX-License-Identifier: Apache-2.0 */
/* See clock.h. */
#include "util/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

char *clock_format(struct timespec t, char out[static CLOCK_TEXT_MAX])
{
	struct tm tm;
	gmtime_r(&t.tv_sec, &tm);
	snprintf(out, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, t.tv_nsec);
	return out;
}

char *clock_text(char out[static CLOCK_TEXT_MAX])
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return clock_format(now, out);
}

int clock_parse(const char *text, struct timespec *ret_time)
{
	struct tm tm = { 0 };
	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!p)
		return -EINVAL;
	long nsec = 0, scale = 100000000;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
			nsec += (*p - '0') * scale;
	int sign = *p == '-' ? -1 : 1, hours = 0, minutes = 0;
	if (*p == '+' || *p == '-') {
		if (sscanf(p + 1, "%2d:%2d", &hours, &minutes) != 2)
			return -EINVAL;
	} else if (strcmp(p, "Z") != 0) {
		return -EINVAL;
	}
	ret_time->tv_sec = timegm(&tm) - sign * (hours * 3600L + minutes * 60L);
	ret_time->tv_nsec = nsec;
	return 0;
}
