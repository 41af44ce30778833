/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist-systemd: speaks D-Bus for kist, which stays static and small that way. Executed by cgroup/scope.c, and only for
 * containers whose caller has asked for systemd's cgroup manager. Its standard input is a socket that takes the answer.
 *
 *   kist-systemd start user|system UNIT MARK SLICE PID [PROPERTY...]
 *   kist-systemd stop  user|system UNIT MARK
 *   kist-systemd set   user|system UNIT MARK [PROPERTY...]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cgroup/systemd/unit.h"
#include "util/fd.h"

enum { WORDS_MIN = 5, START_WORDS_MIN = 7 };

static int act(int argc, char **argv, struct scope_answer *answer)
{
	bool is_start = strcmp(argv[1], "start") == 0;
	int first = is_start ? START_WORDS_MIN : WORDS_MIN;
	struct unit u = {
		.name = argv[3], .mark = argv[4], .words = argv + first, .count = (size_t)(argc - first),
	};
	struct err *e = &answer->err;
	int r = unit_connect(&u, strcmp(argv[2], "user") == 0, e);
	if (r == 0 && is_start)
		r = unit_start(&u, argv[5], (uint32_t)strtoul(argv[6], NULL, 10), answer->group, e);
	else if (r == 0)
		r = strcmp(argv[1], "stop") == 0 ? unit_stop(&u, e) : unit_set(&u, e);
	sd_bus_unref(u.bus);
	return r;
}

int main(int argc, char **argv)
{
	static struct scope_answer answer;
	int type;
	socklen_t len = sizeof(type);

	if (argc < WORDS_MIN || (strcmp(argv[1], "start") == 0 && argc < START_WORDS_MIN) ||
	    getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &len) < 0) {
		fprintf(stderr, "kist-systemd is executed by kist, for systemd's cgroup manager\n");
		return 2;
	}
	int r = act(argc, argv, &answer);
	if (r >= 0)
		answer.err.num = 0;
	return fd_write_all(STDIN_FILENO, &answer, sizeof(answer)) < 0 || r < 0;
}
