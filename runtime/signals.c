/* SPDX-License-Identifier: Apache-2.0 */
/* signal_number of control.h. Source: signal(7), sigabbrev_np(3). */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/control.h"

/* "RTMIN+3" and "RTMAX-1". */
static int real_time(const char *word)
{
	bool is_min = strncasecmp(word, "RTMIN", 5) == 0;
	if (!is_min && strncasecmp(word, "RTMAX", 5) != 0)
		return -1;
	char *end = NULL;
	long n = word[5] ? strtol(word + 5, &end, 10) : 0;
	if ((end && (*end || end == word + 5)) || (is_min ? n < 0 : n > 0))
		return -1;
	long sig = (is_min ? SIGRTMIN : SIGRTMAX) + n;
	return sig >= SIGRTMIN && sig <= SIGRTMAX ? (int)sig : -1;
}

int signal_number(const char *word, struct err *e)
{
	char *end;
	long n = strtol(word, &end, 10);
	if (*word && !*end && n > 0 && n <= SIGRTMAX)
		return (int)n;
	const char *name = strncasecmp(word, "SIG", 3) == 0 ? word + 3 : word;
	for (int i = 1; i < SIGRTMIN && *name; i++) {
		const char *known = sigabbrev_np(i);
		if (known && strcasecmp(name, known) == 0)
			return i;
	}
	if (strcasecmp(name, "IOT") == 0)
		return SIGABRT;
	int sig = real_time(name);
	return sig > 0 ? sig : err_new(e, EINVAL, "signal %s: unknown", word);
}
