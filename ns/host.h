/* SPDX-License-Identifier: Apache-2.0 */
/* What a new namespace starts with: names, loopback, clock offsets, sysctls. Runs in the child before pivot. */
#pragma once
#include "spec/spec.h"
#include "util/err.h"

/* Host and NIS domain name of the own UTS namespace; NULL leaves one as it is. sethostname(2), setdomainname(2). */
int host_names(const char *hostname, const char *domainname, struct err *e);

/* Sets the loopback interface up. netdevice(7), SIOCSIFFLAGS. */
int host_loopback(struct err *e);

/*
 * Writes the offsets for the time namespace that the caller has just unshared, before its first child: the stage
 * process. time_namespaces(7). `proc` is a trusted /proc.
 */
int host_time_offsets(int proc, const struct spec_time_offsets *offsets, struct err *e);

/* Writes each sysctl below the trusted `proc`, in either spelling: a.b.c or a/b/c. */
int host_sysctls(int proc, const struct pairs *sysctls, struct err *e);
