/* SPDX-License-Identifier: Apache-2.0 */
/* See clock.h. */
#include "util/clock.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "util/num.h"

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

int64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int clock_parse(const char *text, struct timespec *ret_time)
{
	/* "2026-11-22T08:15:30": six numbers, each followed by its sign, the last by what is left. */
	static const char signs[] = "--T::";
	uint64_t part[6];
	const char *p = text;
	for (size_t i = 0; i < 6; i++)
		if (!num_take(&p, &part[i]) || part[i] > 9999 || (i < 5 && *p++ != signs[i]))
			return -EINVAL;
	if (part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > 31 || part[3] > 23 || part[4] > 59 || part[5] > 60)
		return -EINVAL;
	struct tm tm = {
		.tm_year = (int)part[0] - 1900, .tm_mon = (int)part[1] - 1, .tm_mday = (int)part[2],
		.tm_hour = (int)part[3], .tm_min = (int)part[4], .tm_sec = (int)part[5],
	};
	long nsec = 0, scale = 100000000;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
			nsec += (*p - '0') * scale;
	int sign = *p == '-' ? -1 : 1;
	uint64_t zone[2] = { 0 };
	if (*p == '+' || *p == '-') {
		if (num_list(p + 1, ":", zone, 2) != 2 || zone[0] > 23 || zone[1] > 59)
			return -EINVAL;
	} else if (strcmp(p, "Z") != 0) {
		return -EINVAL;
	}
	ret_time->tv_sec = timegm(&tm) - sign * ((long)zone[0] * 3600 + (long)zone[1] * 60);
	ret_time->tv_nsec = nsec;
	return 0;
}
