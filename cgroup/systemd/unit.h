/* SPDX-License-Identifier: Apache-2.0 */
/* What kist-systemd does with a unit, over D-Bus. Source: org.freedesktop.systemd1(5). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "cgroup/scope.h"
#include "util/err.h"

struct unit {
	sd_bus *bus;
	const char *name;
	const char *mark;        /* its description, if it is ours */
	char *const *words;      /* properties */
	size_t count;
};

/* Connects to the bus of the system, or of the user. */
int unit_connect(struct unit *u, bool is_user, struct err *e);

/* Starts a transient scope with a process, waits for the job, and gives its group. */
int unit_start(struct unit *u, const char *slice, uint32_t pid, char ret_group[static PATH_MAX], struct err *e);

/* Stops it, if it is there and ours, waits, and lets it be forgotten. */
int unit_stop(struct unit *u, struct err *e);

/* Changes properties until the next reboot. */
int unit_set(struct unit *u, struct err *e);
