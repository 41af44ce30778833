/* SPDX-License-Identifier: Apache-2.0 */
/* See clock.h. */
#include "util/clock.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

char *clock_format(struct timespec t, char out[static CLOCK_TEXT_MAX])
{
	/* gmtime_r(3) would read /etc/localtime. Days since 0000-03-01 in eras of 400 years (146097 days), so that the leap
	 * day is the last of its year. */
	int64_t days = t.tv_sec / 86400 + 719468, left = t.tv_sec % 86400;
	int64_t era = days / 146097, day_of_era = days % 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;   /* 0 is March */
	int day = (int)(day_of_year - (153 * month + 2) / 5) + 1;
	int year = (int)(year_of_era + era * 400) + (month >= 10);
	snprintf(out, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", year, (int)(month < 10 ? month + 3 : month - 9),
		 day, (int)(left / 3600), (int)(left / 60 % 60), (int)(left % 60), t.tv_nsec);
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
