/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log that a daemon keeps: --log syslog:TAG and journald:TAG, as crun's callers write them. One datagram per line;
 * nothing of libsystemd. Caller: util/log.c. Sources: syslog(3), RFC 3164, systemd's "Native Journal Protocol".
 */
#pragma once

struct log_daemon;

/* Finds the daemon that a --log value names; *ret_tag is what follows the colon, or "kist". NULL: it names a file. */
const struct log_daemon *log_daemon_find(const char *word, const char **ret_tag);

/* Connects to the daemon's socket. Returns a descriptor to own, or -errno. */
int log_daemon_connect(const struct log_daemon *d);

/* Sends one line; `level` counts from 0, the gravest, as enum log_level does. A daemon that is gone loses it. */
void log_daemon_send(const struct log_daemon *d, int fd, const char *tag, int level, const char *text);
