/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that stays the same process: pidfds, and the start time that tells a reused pid from the one we knew.
 * Sources: pidfd_open(2), pidfd_send_signal(2), proc(5) "/proc/pid/stat".
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Start time in clock ticks since boot (field 22 of /proc/PID/stat), and the state letter. -ESRCH: no such process. */
int proc_start_time(pid_t pid, uint64_t *ret_ticks, char *ret_state);

/*
 * Opens a pidfd for `pid` if it is still the process that started at `start_ticks`. -ESRCH: gone, or a zombie, or the
 * pid belongs to another process now. The caller owns the descriptor.
 */
int proc_open(pid_t pid, uint64_t start_ticks);

/* Sends a signal through a pidfd. -ESRCH: it has ended. */
int proc_signal(int pidfd, int sig);

/* Waits until the process behind a pidfd has ended, at most timeout_ms (-1: for ever). 0: it has, -ETIMEDOUT. */
int proc_wait_end(int pidfd, int timeout_ms);

/* This boot's id, 36 characters and a NUL, from /proc/sys/kernel/random/boot_id. */
int proc_boot_id(char out[static 37]);

/*
 * Whether this process is in another user namespace than the first: root of it is no root of the host. One stat(2) for
 * all questions of a command.
 */
bool proc_is_in_userns(void);
